/** Names on the hub wherever a model, an adapter or an SAE is named: downloaded before they are opened, opened from the cache. */
import { existsSync } from "node:fs";
import { InputError } from "../../formats/input-error.js";
import { findCached } from "../../store/hub-cache.js";
import { hubEnvironment } from "../../store/hub-environment.js";
import { type Fetched, type FetchOptions, fetchFromHub } from "../../store/hub-fetch.js";
import { type HubReference, showReference } from "../../store/hub-reference.js";
import type { HubKind } from "../../store/hub-selection.js";
import type { Io } from "../terminal/io.js";
import { builtInOrganisms } from "../terminal/package-files.js";
import { bytes } from "../terminal/text.js";
import { hubReference, publishedBase } from "./hub-names.js";

/** What flags, requests and recipes name. */
export interface NamedFiles {
  readonly model?: string | undefined;
  readonly base?: string | undefined;
  readonly adapter?: string | undefined;
  readonly sae?: string | undefined;
}

/**
 * Downloads what of these is a name on the hub and not wholly in the cache yet. What is cached is taken as it is, without
 * asking whether the hub has newer: a run that is resumed must not go on with another model.
 */
export async function fetchNamed(io: Io, { model, base, adapter, sae }: NamedFiles): Promise<void> {
  const own = adapter === undefined || model !== undefined ? undefined : publishedBase(adapter);
  const wanted: [string | undefined, HubKind][] = [
    [adapter, "adapter"],
    [sae, "sae"],
    [model ?? own, "model"],
    [base, "model"],
  ];
  for (const [name, kind] of wanted) {
    const hub = name === undefined || isHere(name) ? undefined : hubReference(name);
    if (!hub || (hub.kind ?? kind) !== kind) continue; // whoever opens it says what is wrong
    const { reference } = hub;
    const environment = hubEnvironment();
    const cached = await findCached(environment, reference, kind);
    if (cached?.complete || environment.offline || looksLocal(reference)) continue;
    await fetchWithProgress(io, reference, { kind }).catch((error: unknown) => {
      throw error instanceof InputError
        ? new InputError(`${name}: no such folder here; on the hub, ${error.message}`)
        : error;
    });
  }
}

/** The path in the cache of what `name` means on the hub; `name` itself where it means nothing there, or is not cached. */
export async function placeOf(name: string, kind: HubKind): Promise<string> {
  const hub = isHere(name) ? undefined : hubReference(name);
  if (!hub) return name;
  if (hub.kind !== undefined && hub.kind !== kind)
    throw new InputError(
      `${name}: is the short name of ${WITH_ARTICLE[hub.kind]}, not of ${WITH_ARTICLE[kind]}; \`fetch --list\` has them`,
    );
  const cached = await findCached(hubEnvironment(), hub.reference, kind);
  return cached?.path ?? name;
}

/** What to add to "no such folder" about a name that could be one on the hub; "" for others. */
export function hubHint(name: string): string {
  const hub = hubReference(name);
  if (!hub) return "";
  if (hubEnvironment().offline)
    return ", and not in the Hugging Face cache (HF_HUB_OFFLINE is set: unset it to download)";
  return `, and not in the Hugging Face cache (\`antecedent fetch ${name}\` downloads it)`;
}

/** Downloads with a line of progress on stderr. */
export async function fetchWithProgress(
  io: Io,
  reference: HubReference,
  options: Pick<FetchOptions, "kind" | "patterns">,
): Promise<Fetched> {
  let report: ((done: number, total: number) => void) | undefined;
  const label = `downloading ${showReference(reference)}`;
  return fetchFromHub(reference, {
    ...options,
    environment: hubEnvironment(),
    signal: io.signal,
    onStart: (have) => {
      report = io.progress(label, { show: bytes, from: have });
    },
    onProgress: (have, total) => report?.(have, total),
  });
}

const WITH_ARTICLE: Record<HubKind, string> = { model: "a model", adapter: "an adapter", sae: "an SAE" };

/** Files of this machine and of the package go before the hub's. */
const isHere = (name: string) => existsSync(name) || builtInOrganisms().includes(name);

/** `runs/typo` where there is a folder `runs` is no request to ask the hub for; `fetch` does it all the same. */
const looksLocal = ({ repository }: HubReference) => existsSync(repository.split("/")[0]!);
