/** What a folder of model files is known by when a run is taken up again. */
import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import type { FileFolder } from "../../formats/byte-source.js";

/** A hash of the files' real paths, sizes and times of change: reading gigabytes of weights to hash them would take too long. */
export async function fingerprint(folders: readonly FileFolder[]): Promise<string> {
  const hash = createHash("sha256");
  for (const folder of folders) {
    for (const name of await folder.list()) {
      const { realPath, size } = await folder.open(name);
      const changed = realPath === undefined ? 0 : (await stat(realPath)).mtimeMs;
      hash.update(JSON.stringify([realPath ?? name, size, changed]));
    }
  }
  return hash.digest("hex");
}
