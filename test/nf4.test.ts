/** NF4 against bitsandbytes: expected values come from test/goldens/nf4.py. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { openNodeChannel } from "../src/engine/onnx/node-channel.js";
import { OnnxRuntime } from "../src/engine/onnx/onnx-runtime.js";
import { onnxEngine, openCheckpoint } from "../src/engine/onnx/open.js";
import { OnnxTrainer } from "../src/engine/onnx/trainer.js";
import { bf16ToF32, f32ToBf16 } from "../src/formats/half.js";
import { memorySource } from "../src/formats/memory-source.js";
import { readSafetensorsHeader } from "../src/formats/safetensors.js";
import { readTensorBytes, readTensorF32 } from "../src/formats/tensor-file.js";
import { Graph } from "../src/graph/index.js";
import { GraphParameters } from "../src/model/graph-parameters.js";
import { linearModules } from "../src/model/modules.js";
import { dequantiseMagnitudes, NF4_LEVELS, quantiseMagnitudes, quantiseNf4 } from "../src/model/nf4.js";
import { inMemory } from "../src/model/weights.js";
import { openFolder } from "../src/store/node-folder.js";

const folder = new URL("./goldens/nf4/", import.meta.url).pathname;
const source = memorySource("values.safetensors", readFileSync(`${folder}values.safetensors`));
const { tensors } = await readSafetensorsHeader(source);
const floats = (name: string) => readTensorF32(source, tensors.get(name)!);
const bytes = (name: string) => readTensorBytes(source, tensors.get(name)!);

const rounded = (values: Float32Array) => bf16ToF32(f32ToBf16(values), new Float32Array(values.length));

describe.each(["normal", "short", "zeros", "half", "edges"])("%s", (name) => {
  it("has bitsandbytes' codes and magnitudes", async () => {
    const { packed, magnitudes } = quantiseNf4(await floats(`${name}.values`));
    expect([...packed]).toEqual([...(await bytes(`${name}.plain.packed`))]);
    expect([...magnitudes]).toEqual([...(await floats(`${name}.plain.magnitudes`))]);
  });

  it("has bitsandbytes' magnitudes after the second quantisation", async () => {
    const { magnitudes } = quantiseNf4(await floats(`${name}.values`));
    const offset = (await floats(`${name}.double.offset`))[0]!;
    expect(Math.abs(quantiseMagnitudes(magnitudes).offset - offset)).toBeLessThanOrEqual(offset * 2e-7);
    const found = quantiseMagnitudes(magnitudes, offset);
    expect([...found.levels]).toEqual([...(await floats("levels"))]);
    expect([...found.magnitudes]).toEqual([...(await floats(`${name}.double.outer`))]);
    expect([...found.codes]).toEqual([...(await bytes(`${name}.double.magnitudes`))]);
  });

  it("has bitsandbytes' values, bit by bit", async () => {
    const { packed, magnitudes } = quantiseNf4(await floats(`${name}.values`));
    const offset = (await floats(`${name}.double.offset`))[0]!;
    for (const [kind, scales] of [
      ["plain", magnitudes],
      ["double", dequantiseMagnitudes(quantiseMagnitudes(magnitudes, offset))],
    ] as const) {
      const want = await floats(`${name}.${kind}.dequantised`);
      const got = Float32Array.from(want, (_, i) => {
        const code = i % 2 === 0 ? packed[i >> 1]! >> 4 : packed[i >> 1]! & 15;
        return NF4_LEVELS[code]! * scales[Math.floor(i / 64)]!;
      });
      const { dtype } = tensors.get(`${name}.${kind}.dequantised`)!;
      expect([...(dtype === "BF16" ? rounded(got) : got)]).toEqual([...want]);
    }
  });
});

describe.each(["double", "plain"])("a checkpoint that transformers saved in four bits (%s)", (name) => {
  it("has exactly the dequantised values in the graph", async () => {
    const { weights } = await openCheckpoint(await openFolder(`${folder}${name}`));
    const graph = new Graph();
    const parameters = new GraphParameters(graph, weights);
    const fourBit = [...weights].filter(([, { dtype }]) => dtype === "nf4");
    expect(fourBit.length).toBe(name === "double" ? 8 : 7);
    for (const [weight] of fourBit) graph.output(`out ${weight}`, parameters.get(weight));
    const runtime = new OnnxRuntime(openNodeChannel(), { threads: 1, device: "cpu" });
    const values = await (await runtime.compile(graph)).run({});
    await runtime.close();
    for (const [weight, stored] of fourBit) {
      const { scales } = stored.blocks!;
      const { bytes: packed } = stored.values as { bytes: Uint8Array };
      const want = Float32Array.from(
        { length: 2 * packed.length },
        (_, i) => NF4_LEVELS[(packed[i >> 1]! >> (i % 2 === 0 ? 4 : 0)) & 15]! * scales[i >> 6]!,
      );
      expect([...(values[`out ${weight}`]!.data as Float32Array)]).toEqual([
        ...(name === "double" ? rounded(want) : want),
      ]);
    }
  });

  it("scores as its dequantised values do in PyTorch", async () => {
    const { sequences, logprobs } = JSON.parse(readFileSync(`${folder}${name}/expected.json`, "utf8")) as {
      sequences: [number[], number[]][];
      logprobs: number[][];
    };
    const opened = await openCheckpoint(await openFolder(`${folder}${name}`));
    const engine = onnxEngine(opened, openNodeChannel(), { name, threads: 1 });
    const scores = await engine.score(
      sequences.map(([prompt, action]) => ({
        prompt: Int32Array.from(prompt),
        mask: new Uint8Array(prompt.length),
        action: Int32Array.from(action),
      })),
    );
    await engine.close();
    scores.forEach(({ tokenLogprobs }, i) =>
      logprobs[i]!.forEach((value, j) => expect(Math.abs(tokenLogprobs[j]! - value)).toBeLessThan(2e-4)),
    );
  });
});

it("quantises a base on opening: it scores, and gives LoRA the gradients, of the dequantised values", async () => {
  const checkpoint = await openFolder(new URL("./goldens/decoder/llama", import.meta.url).pathname);
  const plain = await openCheckpoint(checkpoint);
  const quantised = await openCheckpoint(checkpoint, undefined, "nf4-double");
  const linear = new Set(linearModules(plain.config, 0).map((module) => `${module}.weight`));
  const dequantised = new Map(
    [...plain.weights].map(([weight, stored]) => {
      if (!linear.has(weight)) return [weight, stored] as const;
      const { bytes: raw } = stored.values as { bytes: Uint8Array };
      const { packed, magnitudes } = quantiseNf4(new Float32Array(raw.buffer, raw.byteOffset, raw.byteLength / 4));
      const scales = dequantiseMagnitudes(quantiseMagnitudes(magnitudes));
      const values = Float32Array.from(
        { length: raw.byteLength / 4 },
        (_, i) => NF4_LEVELS[(packed[i >> 1]! >> (i % 2 === 0 ? 4 : 0)) & 15]! * scales[i >> 6]!,
      );
      return [weight, inMemory(values, stored.shape)] as const;
    }),
  );
  const ids = Int32Array.of(3, 17, 42, 8, 91, 5, 7, 30);
  const sequence = { prompt: ids.subarray(0, 6), mask: new Uint8Array(6), action: ids.subarray(6) };
  const module = "model.layers.2.self_attn.q_proj";
  const half = (length: number, shape: number[]) =>
    inMemory(
      Float32Array.from({ length }, (_, i) => Math.sin(i)),
      shape,
    );
  const adapter = new Map([[module, { a: half(64, [2, 32]), b: half(64, [32, 2]), scale: 1 }]]);
  const measured = [];
  for (const weights of [quantised.weights, dequantised, plain.weights]) {
    const engine = onnxEngine({ ...plain, weights, adapter }, openNodeChannel(), { name: "llama", threads: 1 });
    const [score] = await engine.score([sequence]);
    const trainer = await OnnxTrainer.create(engine, (name) => name.includes("lora_"));
    const { norms } = await trainer.gradientNorms([{ ids, from: 6 }]);
    measured.push([...score!.tokenLogprobs, ...Object.values(norms)]);
    await engine.close();
  }
  const [found, want, unquantised] = measured as [number[], number[], number[]];
  found.forEach((x, i) => expect(Math.abs(x / want[i]! - 1)).toBeLessThan(1e-5));
  expect(Math.max(...found.map((x, i) => Math.abs(x / unquantised[i]! - 1)))).toBeGreaterThan(0.01);
});
