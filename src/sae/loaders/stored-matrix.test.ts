import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import type { LocatedTensor, TensorEntry } from "../../formats/tensor-file.js";
import { openFile } from "../../store/node-file-source.js";
import { readSaeMatrix } from "./stored-matrix.js";

const folder = mkdtempSync(join(tmpdir(), "antecedent-stored-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** [3, 2] */
const VALUES = [1, 2, 3, 4, 5, 6];

/** The values in a file of their own, from byte `begin` on. */
async function stored(begin: number, more: Partial<TensorEntry> = {}): Promise<LocatedTensor> {
  const path = join(folder, `${begin}.bin`);
  const bytes = new Uint8Array(begin + 4 * VALUES.length);
  const view = new DataView(bytes.buffer);
  VALUES.forEach((value, i) => {
    view.setFloat32(begin + 4 * i, value, true);
  });
  writeFileSync(path, bytes);
  const entry: TensorEntry = { name: "w", dtype: "F32", shape: [3, 2], begin, end: bytes.length, ...more };
  return { source: await openFile(path), entry };
}

it("stays in its file, whatever container that is", async () => {
  const matrix = await readSaeMatrix(await stored(8), "encoder", "rows", 0);
  expect(matrix).toMatchObject({ dtype: "float32", latents: "rows", offset: 8 });
  expect([...(matrix as { norms: Float32Array }).norms]).toEqual([5, 25, 61].map((x) => Math.fround(Math.sqrt(x))));
});

it("is read into memory where it is small, not aligned or not row by row", async () => {
  expect([...((await readSaeMatrix(await stored(8), "decoder", "rows")) as Float32Array)]).toEqual(VALUES);
  expect([...((await readSaeMatrix(await stored(6), "decoder", "rows", 0)) as Float32Array)]).toEqual(VALUES);
  const turned = await stored(16, { shape: [2, 3], strides: [1, 2] });
  expect([...((await readSaeMatrix(turned, "encoder", "columns", 0)) as Float32Array)]).toEqual([1, 3, 5, 2, 4, 6]);
});

it("is turned for a role that holds it the other way round", async () => {
  expect([...((await readSaeMatrix(await stored(8), "encoder", "rows")) as Float32Array)]).toEqual([1, 3, 5, 2, 4, 6]);
});

it("refuses what is not finite, also where it stays in its file", async () => {
  VALUES[3] = Number.NaN;
  for (const most of [0, undefined])
    await expect(readSaeMatrix(await stored(8), "decoder", "rows", most)).rejects.toThrow("must be finite");
});
