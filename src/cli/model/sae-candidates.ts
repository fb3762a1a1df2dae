/** The SAEs inside a folder that is none itself: releases hold hundreds, a folder each. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { findSaeFormat } from "../../sae/registry.js";
import { openFolder } from "../../store/node-folder.js";
import { isFolder } from "../terminal/package-files.js";

/** Gemma Scope has three levels (`layer_12/width_16k/average_l0_82`) below a release. */
const MAX_DEPTH = 4;
/** Folders looked at: Gemma Scope's largest release has about 1,200. */
const MAX_FOLDERS = 5000;
/** Candidates named in a message. */
const SHOWN = 6;

/** Folders below `path` that hold an SAE in a known format, in the order of their numbers and names. */
export async function saesBelow(path: string): Promise<string[]> {
  const found: string[] = [];
  let looked = 0;
  const visit = async (folder: string, depth: number): Promise<void> => {
    for (const name of subfolders(folder)) {
      if (++looked > MAX_FOLDERS) return;
      const inner = join(folder, name);
      if ((await findSaeFormat(await openFolder(inner))) !== undefined) found.push(inner);
      else if (depth < MAX_DEPTH) await visit(inner, depth + 1);
    }
  };
  await visit(path, 1);
  return found;
}

/** The candidates as the end of a message: the first few, and how many more there are. */
export function listCandidates(found: readonly string[]): string {
  const more = found.length - SHOWN;
  return `${found.slice(0, SHOWN).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

function subfolders(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => !name.startsWith(".") && isFolder(join(folder, name)))
      .sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  } catch {
    return []; // not ours to read
  }
}
