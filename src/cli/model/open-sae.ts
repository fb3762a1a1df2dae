/** From --sae to an SAE that fits the model, with its labels. */
import { existsSync } from "node:fs";
import type { FileFolder } from "../../formats/byte-source.js";
import { InputError } from "../../formats/input-error.js";
import { LabelSearch } from "../../sae/label-search.js";
import { firstLabel, type Labels } from "../../sae/labels.js";
import { describeSae, findSaeFormat, openSae } from "../../sae/registry.js";
import type { Sae } from "../../sae/sae.js";
import { openFolder, openFolderOf } from "../../store/node-folder.js";
import { isFolder, pocketFiles } from "../terminal/package-files.js";
import { hubHint, placeOf } from "./hub.js";
import { type OpenedModel, POCKET_MODEL } from "./open-model.js";
import { listCandidates, saesBelow } from "./sae-candidates.js";
import { openLabels } from "./sae-labels.js";

export interface OpenedSae {
  readonly sae: Sae;
  /** As the user named it. */
  readonly name: string;
  /** Where it lies; undefined for what came with the package or from the hub, where nothing is to be written. */
  readonly ownFolder: string | undefined;
  readonly label: (latent: number) => string | undefined;
  /** Latents by words of their labels, best first, at most `limit`. */
  readonly search: (text: string, limit: number) => readonly number[];
}

/**
 * Opens the SAE in the model's runtime: --sae, else the pocket model's own; undefined where there is neither. Its labels are
 * those of --labels, else those beside it.
 */
export async function openSaeFor(
  model: OpenedModel,
  given: string | undefined,
  labelsGiven?: string,
): Promise<OpenedSae | undefined> {
  const name = given ?? (model.isPocket ? POCKET_MODEL : undefined);
  if (name === undefined) {
    if (labelsGiven !== undefined) throw new InputError("--labels belong to an SAE: give its folder with --sae");
    return undefined;
  }
  const folder = await openSaeFolder(name);
  const { dModel } = model.engine.model;
  const info = await describeSae(folder, name);
  if (info.dModel !== dModel)
    throw new InputError(
      `${name}: the SAE reads vectors of width ${info.dModel}, but ${model.name} has width ${dModel}; give an SAE of this model`,
    );
  const labels: Labels = (await openLabels(labelsGiven, folder.path, info)) ?? new Map();
  const sae = await openSae(folder, model.runtime, name);
  let index: LabelSearch | undefined;
  return {
    sae,
    name,
    ownFolder: name !== POCKET_MODEL && existsSync(name) ? folder.path : undefined,
    label: (latent) => firstLabel(labels, latent),
    search: (text, limit) => {
      index ??= new LabelSearch(labels);
      return index.find(text, limit);
    },
  };
}

/** The same, where there must be one. */
export async function requireSae(
  model: OpenedModel,
  given: string | undefined,
  what: string,
  labels?: string,
): Promise<OpenedSae> {
  const opened = await openSaeFor(model, given, labels);
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
  if (isFolder(place)) {
    const folder = await openFolder(place, name);
    if ((await findSaeFormat(folder)) === undefined) {
      const found = await saesBelow(place);
      if (found.length > 0)
        throw new InputError(
          `${name}: holds ${found.length === 1 ? "an SAE" : `${found.length} SAEs`}; give ${found.length === 1 ? "its folder" : "the folder of one"}: ${listCandidates(found)}`,
        );
    }
    return folder;
  }
  if (existsSync(place)) return openFolderOf(place);
  throw new InputError(
    `${name}: no such SAE${hubHint(name)}; give its folder or file, a name on the hub, or \`pocket\``,
  );
}
