/** From --sae to an SAE that fits the model, with its labels. */
import { existsSync } from "node:fs";
import type { FileFolder } from "../formats/byte-source.js";
import { InputError } from "../formats/input-error.js";
import { firstLabel, readLabels } from "../sae/labels.js";
import { describeSae, openSae } from "../sae/registry.js";
import type { Sae } from "../sae/sae.js";
import { openFolder, openFolderOf } from "../store/node-folder.js";
import { hubHint, placeOf } from "./hub.js";
import { type OpenedModel, POCKET_MODEL } from "./open-model.js";
import { isFolder, pocketFiles } from "./package-files.js";

/** Labels beside an SAE's weights, as Neuronpedia exports them. */
const LABELS_FILE = "labels.jsonl";

export interface OpenedSae {
  readonly sae: Sae;
  /** As the user named it. */
  readonly name: string;
  readonly label: (latent: number) => string | undefined;
}

/** Opens the SAE in the model's runtime: --sae, else the pocket model's own; undefined where there is neither. */
export async function openSaeFor(model: OpenedModel, given: string | undefined): Promise<OpenedSae | undefined> {
  const name = given ?? (model.isPocket ? POCKET_MODEL : undefined);
  if (name === undefined) return undefined;
  const folder = await openSaeFolder(name);
  const { dModel } = model.engine.model;
  const info = await describeSae(folder, name);
  if (info.dModel !== dModel)
    throw new InputError(
      `${name}: the SAE reads vectors of width ${info.dModel}, but ${model.name} has width ${dModel}; give an SAE of this model`,
    );
  const sae = await openSae(folder, model.runtime, name);
  return { sae, name, label: await labelsOf(folder, sae.info.latents) };
}

/** The same, where there must be one. */
export async function requireSae(model: OpenedModel, given: string | undefined, what: string): Promise<OpenedSae> {
  const opened = await openSaeFor(model, given);
  if (!opened) throw new InputError(`${what} needs an SAE: give its folder with --sae`);
  return opened;
}

/** The SAE folder called `name`: `pocket`, a folder of the user's or one of the hub's in the cache, or the folder of one weights file. */
export async function openSaeFolder(name: string): Promise<FileFolder> {
  if (name === POCKET_MODEL) {
    if (!isFolder(pocketFiles.sae))
      throw new InputError("pocket: this installation has no pocket/sae folder; install the package again");
    return openFolder(pocketFiles.sae, "pocket/sae");
  }
  const place = await placeOf(name, "sae");
  if (isFolder(place)) return openFolder(place, name);
  if (existsSync(name)) return openFolderOf(name);
  throw new InputError(
    `${name}: no such SAE${hubHint(name)}; give its folder or file, a name on the hub, or \`pocket\``,
  );
}

/** Labels beside the weights, where there are any. */
async function labelsOf(folder: FileFolder, latents: number): Promise<(latent: number) => string | undefined> {
  if (!(await folder.has(LABELS_FILE))) return () => undefined;
  const labels = await readLabels(await folder.open(LABELS_FILE), latents);
  return (latent) => firstLabel(labels, latent);
}
