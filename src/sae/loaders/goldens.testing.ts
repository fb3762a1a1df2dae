/** Golden SAEs of test/goldens: folders as other libraries write them, with rows and the latents that these compute. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import type { FileFolder } from "../../formats/byte-source.js";
import { memoryFolder, memorySource } from "../../formats/memory-source.js";
import { readSafetensorsHeader, readTensorF32 } from "../../formats/safetensors.js";
import type { SparseLatents } from "../sae.js";

const EXPECTED = "expected.safetensors";

/** Folders below `root` that hold an expected.safetensors, by relative name. */
export function goldenFolders(root: URL): string[] {
  return (readdirSync(root, { recursive: true }) as string[])
    .filter((path) => path.endsWith(`/${EXPECTED}`))
    .map((path) => path.slice(0, -EXPECTED.length - 1))
    .sort();
}

/** The folder's files in memory, under the folder's relative name. */
export function goldenFolder(root: URL, name: string): FileFolder {
  const folder = new URL(`${name}/`, root);
  const files = (readdirSync(folder, { recursive: true }) as string[]).filter(
    (file) => file !== EXPECTED && statSync(new URL(file, folder)).isFile(),
  );
  return memoryFolder(
    name,
    Object.fromEntries(files.map((file) => [file, new Uint8Array(readFileSync(new URL(file, folder)))])),
  );
}

/** A tensor of the folder's expected.safetensors. */
export async function expected(root: URL, name: string, tensor: string): Promise<Float32Array> {
  const source = memorySource(EXPECTED, new Uint8Array(readFileSync(new URL(`${name}/${EXPECTED}`, root))));
  return readTensorF32(source, (await readSafetensorsHeader(source)).tensors.get(tensor)!);
}

/** Sparse rows as [rows, latents]. */
export function dense(sparse: SparseLatents, latents: number): Float32Array {
  const rows = sparse.rowStart.length - 1;
  const out = new Float32Array(rows * latents);
  for (let r = 0; r < rows; r++) {
    for (let at = sparse.rowStart[r]!; at < sparse.rowStart[r + 1]!; at++)
      out[r * latents + sparse.ids[at]!] = sparse.values[at]!;
  }
  return out;
}
