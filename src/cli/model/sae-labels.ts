/** From --labels, or from what lies beside an SAE, to the labels of its latents. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "../../formats/input-error.js";
import { labelKind, readLabels } from "../../sae/label-files.js";
import type { LabelledSae, Labels } from "../../sae/labels.js";
import { openFile } from "../../store/node-file-source.js";
import { isFolder } from "../terminal/package-files.js";

/** Files beside an SAE's weights that are its labels, the first that is there. */
const BESIDE = ["labels.jsonl", "labels.jsonl.gz", "labels.json", "labels.csv"];
/** Neuronpedia's folder of explanations inside a source's folder. */
const EXPLANATIONS = "explanations";

/**
 * The labels that `given` names: a file, a folder of a Neuronpedia export (`explanations`), or the source's folder around it. Without it
 * those beside the SAE at `saeFolder`; undefined where there are none. InputError for labels of another SAE.
 */
export async function openLabels(
  given: string | undefined,
  saeFolder: string | undefined,
  sae: LabelledSae,
): Promise<Labels | undefined> {
  const paths = given === undefined ? besideSae(saeFolder) : named(given);
  if (paths.length === 0) return undefined;
  return readLabels(await Promise.all(paths.map((path) => openFile(path))), sae);
}

function besideSae(folder: string | undefined): string[] {
  if (folder === undefined || !isFolder(folder)) return [];
  const names = new Set(readdirSync(folder));
  const file = BESIDE.find((name) => names.has(name));
  if (file !== undefined) return [join(folder, file)];
  return names.has(EXPLANATIONS) ? batches(join(folder, EXPLANATIONS)) : [];
}

function named(given: string): string[] {
  if (!isFolder(given)) return [given];
  const inside = join(given, EXPLANATIONS);
  const found = batches(isFolder(inside) ? inside : given);
  if (found.length === 0)
    throw new InputError(
      `--labels ${given}: no label files here; give a .jsonl, .json or .csv file, or a Neuronpedia export's folder of batch-N.jsonl.gz`,
    );
  return found;
}

/** Batch files by their number. */
function batches(folder: string): string[] {
  if (!isFolder(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.startsWith("batch-") && labelKind(name) === "jsonl")
    .sort((a, b) => a.localeCompare(b, "en", { numeric: true }))
    .map((name) => join(folder, name));
}
