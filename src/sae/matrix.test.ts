import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { InputError } from "../formats/input-error.js";
import { type TensorToWrite, writeSafetensors } from "../formats/safetensors.js";
import { Graph } from "../graph/index.js";
import { openFile } from "../store/node-file-source.js";
import { openFolder } from "../store/node-folder.js";
import { openDenseSae } from "./dense-sae.js";
import { dense, expected, goldenFolder } from "./loaders/goldens.testing.js";
import { loadLlamaScope } from "./loaders/llama-scope.js";
import { SaeTensors } from "./loaders/tensors.js";
import { type MappedMatrix, mappedMatrix } from "./matrix.js";
import { testRuntime } from "./runtime.testing.js";

const D = 5;
const M = 7;
const folder = mkdtempSync(join(tmpdir(), "antecedent-matrix-"));
const runtime = testRuntime();
afterAll(async () => {
  await runtime.close();
  rmSync(folder, { recursive: true });
});

/** Multiples of 1/8 below 8: exact in every type, and so are their products in sums this short. */
const values = Float32Array.from({ length: D * M }, (_, i) => (((i * 37) % 101) - 50) / 8);
/** Latent j's number i, of latents stored as rows or as columns. */
const at = (latents: "rows" | "columns", j: number, i: number) => values[latents === "rows" ? j * D + i : i * M + j]!;

async function tensors(dtype: TensorToWrite["dtype"], latents: "rows" | "columns", data = values) {
  const path = join(folder, `${dtype}-${latents}.safetensors`);
  const shape = latents === "rows" ? [M, D] : [D, M];
  writeFileSync(path, writeSafetensors([{ name: "w", dtype, shape, data }]));
  return SaeTensors.open(await openFile(path), {
    d: D,
    m: M,
    config: "cfg.json",
    fields: "d and m",
    inMemoryBytes: 0,
  });
}

describe("matrices that stay in their file", () => {
  for (const dtype of ["F32", "F16", "BF16"] as const) {
    for (const latents of ["rows", "columns"] as const) {
      it(`${dtype}, latents as ${latents}: products as in memory, block by block`, async () => {
        const matrix = (await (await tensors(dtype, latents)).matrix("w", "encoder", latents)) as MappedMatrix;
        expect(matrix).toMatchObject({ latents, dtype: { F32: "float32", F16: "float16", BF16: "bfloat16" }[dtype] });
        const graph = new Graph();
        const blocks = 2 * (latents === "rows" ? D : M); // two stored rows a block
        const held = mappedMatrix(graph, "w", matrix, [D, M], blocks);
        graph.output("toLatents", held.toLatents(graph.input("x", "float32", ["N", D])));
        graph.output("fromLatents", held.fromLatents(graph.input("z", "float32", ["K", M])));
        graph.output("picked", held.pick(graph.input("id", "int64", [1])));
        const program = await runtime.compile(graph);
        const x = Float32Array.from({ length: 2 * D }, (_, i) => (i % 3) - 1);
        const z = Float32Array.from({ length: M }, (_, i) => (i % 4) - 1);
        const run = await program.run({
          x: { type: "float32", dims: [2, D], data: x },
          z: { type: "float32", dims: [1, M], data: z },
          id: { type: "int64", dims: [1], data: BigInt64Array.of(3n) },
        });
        await program.release();
        const numbers = (n: number) => [...Array(n).keys()];
        const sum = (terms: number[]) => terms.reduce((a, b) => a + b, 0);
        expect([...(run.toLatents!.data as Float32Array)]).toEqual(
          numbers(2).flatMap((r) =>
            numbers(M).map((j) => sum(numbers(D).map((i) => x[r * D + i]! * at(latents, j, i)))),
          ),
        );
        expect([...(run.fromLatents!.data as Float32Array)]).toEqual(
          numbers(D).map((i) => sum(numbers(M).map((j) => z[j]! * at(latents, j, i)))),
        );
        expect([...(run.picked!.data as Float32Array)]).toEqual(numbers(D).map((i) => at(latents, 3, i)));
        numbers(M).forEach((j) => {
          expect(matrix.norms[j]).toBeCloseTo(Math.hypot(...numbers(D).map((i) => at(latents, j, i))), 4);
        });
      });
    }
  }

  it("are refused where a value is not finite", async () => {
    const damaged = values.slice();
    damaged[11] = Number.POSITIVE_INFINITY;
    const failure = (await tensors("BF16", "rows", damaged)).matrix("w", "encoder", "rows");
    await expect(failure).rejects.toThrow(InputError);
    await expect(failure).rejects.toThrow('"w" holds a value that is not finite for latent 2');
  });

  it("of element types that cannot be mapped are read into memory", async () => {
    const matrix = await (await tensors("F64", "rows")).matrix("w", "decoder", "rows");
    expect(matrix).toEqual(values);
  });

  it("give the latents that the same SAE gives in memory", async () => {
    const root = new URL("../../test/goldens/sae-formats/", import.meta.url);
    const name = "Llama3_1-8B-Base-L1R-8x";
    const weights = await loadLlamaScope(goldenFolder(root, name), name);
    const { dModel: d, latents: m } = weights.info;
    const stored = await (await openFolder(new URL(name, root).pathname)).open("checkpoints/final.safetensors");
    const left = await SaeTensors.open(stored, { d, m, config: "", fields: "", inMemoryBytes: 0 });
    const sae = await openDenseSae(
      {
        ...weights,
        encoder: await left.matrix("encoder.weight", "encoder", "rows"),
        decoder: await left.matrix("decoder.weight", "decoder", "columns"),
      },
      runtime,
    );
    const got = dense(await sae.encode(await expected(root, name, "x")), m);
    const want = await expected(root, name, "latents");
    want.forEach((value, i) => {
      expect(Math.abs(got[i]! - value)).toBeLessThan(1e-5 * Math.max(1, Math.abs(value)));
    });
    const decoder = await expected(root, name, "decoder");
    (await sae.decoderRow(9)).forEach((value, i) => {
      expect(value).toBeCloseTo(decoder[9 * d + i]!, 5);
    });
    await sae.close();
  });
});
