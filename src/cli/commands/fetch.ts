/** `fetch`: downloads from the Hugging Face hub into the cache that its libraries share, and the short names of what the post used. */
import { Command } from "commander";
import { InputError } from "../../formats/input-error.js";
import { findCached } from "../../store/hub-cache.js";
import { hubEnvironment } from "../../store/hub-environment.js";
import { requireHubReference, showReference } from "../../store/hub-reference.js";
import { fetchWithProgress } from "../model/hub.js";
import { HUB_NAMES, hubReference } from "../model/hub-names.js";
import type { Io } from "../terminal/io.js";
import { jsonOption, type OutputFlags } from "../terminal/options.js";
import { bytes, oneLine, table } from "../terminal/text.js";

/** Longest name of a file in the table. */
const NAME_WIDTH = 80;

interface Flags extends OutputFlags {
  readonly files?: readonly string[];
  readonly list?: boolean;
}

export function fetchCommand(io: Io): Command {
  const command = new Command("fetch")
    .description(
      "downloads a model, adapter or SAE from the Hugging Face hub; the same command goes on after an interruption",
    )
    .argument("[name]", "owner/name, owner/name/folder, either with @revision, or a short name")
    .option("--files <patterns...>", "these files in place of what is needed, such as '*.json' (* matches / too)")
    .option("--list", "list the short names");
  return jsonOption(command).action((name: string | undefined, flags: Flags) =>
    flags.list ? listNames(io, flags) : fetchName(io, name, flags),
  );
}

async function fetchName(io: Io, name: string | undefined, { files: patterns, json }: Flags): Promise<void> {
  if (name === undefined)
    throw new InputError("fetch needs a name: owner/name on the Hugging Face hub, or a short name (`fetch --list`)");
  const known = hubReference(name);
  const reference = known?.reference ?? requireHubReference(name);
  const started = performance.now();
  const fetched = await fetchWithProgress(io, reference, {
    ...(known?.kind ? { kind: known.kind } : {}),
    ...(patterns ? { patterns } : {}),
  });
  const { kind, commit, path, files } = fetched;
  const size = (which: typeof files) => which.reduce((sum, file) => sum + file.bytes, 0);
  const downloadedBytes = size(files.filter(({ downloaded }) => downloaded));
  io.result(
    json,
    () => ({
      name,
      repository: reference.repository,
      revision: reference.revision,
      commit,
      kind,
      path,
      files,
      bytes: size(files),
      downloadedBytes,
      seconds: (performance.now() - started) / 1000,
    }),
    () =>
      [
        table(
          ["file", "size", ""],
          files.map((file) => [
            oneLine(file.path, NAME_WIDTH),
            bytes(file.bytes),
            file.downloaded ? "downloaded" : "was here",
          ]),
          [1],
        ),
        "",
        `${showReference(reference)}, commit ${commit}: ${bytes(size(files))}, ${bytes(downloadedBytes)} of it downloaded`,
        path,
        ...(kind === "files" ? [] : [`use it with --${kind} ${name}`]),
      ].join("\n"),
  );
}

async function listNames(io: Io, { json }: Flags): Promise<void> {
  const environment = hubEnvironment();
  const names = await Promise.all(
    Object.entries(HUB_NAMES).map(async ([name, { kind, repository, base, about }]) => {
      const cached = await findCached(environment, requireHubReference(repository), kind);
      return { name, kind, repository, base: base ?? null, about, cached: cached?.complete === true };
    }),
  );
  io.result(
    json,
    () => ({ names, cache: environment.cache }),
    () =>
      [
        table(
          ["name", "", "on the hub", "here"],
          names.map(({ name, kind, repository, cached }) => [name, kind, repository, cached ? "yes" : "no"]),
        ),
        "",
        `cache: ${environment.cache}`,
      ].join("\n"),
  );
}
