/** Checkpoints, adapters and SAEs in torch and npz files, through the command line. Needs `npm run build` first. */
import { cpSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { memorySource } from "../formats/memory-source.js";
import { readSafetensorsHeader, readTensorF32 } from "../formats/safetensors.js";
import { readTorchFile } from "../formats/torch-file.js";
import { zipOf } from "../formats/zip.testing.js";
import { copyOf, freshPath, refuses, score, writeText } from "./bad-input.testing.js";
import { antecedentJson, golden } from "./program.testing.js";
import { PACKAGE_ROOT } from "./terminal/package-files.js";

/** Written by torch and numpy: test/goldens/containers.py, sae-containers.py. */
const containers = (file: string) => join(PACKAGE_ROOT, "test/goldens/containers", file);
const saes = (file: string) => join(PACKAGE_ROOT, "test/goldens/sae-containers", file);
const torchModel = (spoil: (path: (file: string) => string) => void = () => {}) =>
  copyOf("model", (path) => {
    unlinkSync(path("model.safetensors"));
    for (const file of readdirSync(containers("checkpoint")))
      if (file.startsWith("pytorch_model")) cpSync(containers(`checkpoint/${file}`), path(file));
    spoil(path);
  });
const torchAdapter = () =>
  copyOf("adapter", (path) => {
    unlinkSync(path("adapter_model.safetensors"));
    cpSync(containers("checkpoint/adapter_model.bin"), path("adapter_model.bin"));
  });

/** A pickle that would run `touch` on a file, were it unpickled; as pickle.dumps writes os.system. */
const hostile = (file: string) => {
  const command = `touch ${file}`;
  return Buffer.concat([
    Buffer.from("\u0080\u0002cposix\nsystem\nX", "latin1"),
    Buffer.from(Uint32Array.of(command.length).buffer),
    Buffer.from(`${command}\u0085R.`, "latin1"),
  ]);
};

describe("checkpoints and adapters", () => {
  it("pytorch_model.bin in shards and adapter_model.bin give what their safetensors files give", async () => {
    interface Scored {
      readonly rows: readonly { readonly tokenLogprobs: readonly number[] }[];
    }
    for (const adapter of [false, true]) {
      const [ours, same] = await Promise.all([
        antecedentJson<Scored>([...score(torchModel()), ...(adapter ? ["--adapter", torchAdapter()] : [])]),
        antecedentJson<Scored>([...score(golden("model")), ...(adapter ? ["--adapter", golden("adapter")] : [])]),
      ]);
      expect(ours.rows).toEqual(same.rows);
    }
  });

  it.concurrent("a hostile checkpoint ends in one line, and nothing runs", async () => {
    const trace = freshPath("owned");
    const model = torchModel((path) => {
      unlinkSync(path("pytorch_model.bin.index.json"));
      writeFileSync(path("pytorch_model.bin"), zipOf({ "a/data.pkl": hostile(trace) }));
    });
    await refuses(score(model), /pytorch_model\.bin: the pickle asks for "posix\.system".*nothing in it was executed/);
    expect(() => readFileSync(trace)).toThrow();
  });

  it.concurrent("a TorchScript archive, and one cut short", async () => {
    const script = torchModel((path) => {
      unlinkSync(path("pytorch_model.bin.index.json"));
      cpSync(containers("script.pt"), path("pytorch_model.bin"));
    });
    await refuses(score(script), /is a TorchScript archive/);
    const cut = torchModel((path) => {
      const file = path("pytorch_model-00001-of-00002.bin");
      writeFileSync(file, readFileSync(file).subarray(0, 20_000));
    });
    await refuses(score(cut), /pytorch_model-00001-of-00002\.bin: it has no end record; the zip archive is damaged/);
  });
});

describe("SAEs", () => {
  const prompt = writeText("prompt.jsonl", '"How do I keep basil fresh?"\n');
  const encode = ["encode", "--model", golden("model"), "--raw", "--prompts", prompt];
  interface Encoded {
    readonly rows: readonly { readonly latents: readonly { id: number; token: number; value: number }[] }[];
  }
  async function expected(folder: string): Promise<{ values: Float32Array; latents: number }> {
    const source = memorySource(folder, new Uint8Array(readFileSync(join(folder, "expected.safetensors"))));
    const entry = (await readSafetensorsHeader(source)).tensors.get("latents")!;
    return { values: await readTensorF32(source, entry), latents: entry.shape[1]! };
  }

  it.concurrent.each<[string, string, readonly string[]]>([
    ["Gemma Scope", "gemma-scope-2b-pt-res/layer_1/width_16k/average_l0_6", []],
    ["a compressed npz", "gemma-scope-compressed", ["--layer", "1"]],
    ["Goodfire", "goodfire", []],
    ["dictionary_learning, gated", "GatedAutoEncoder", []],
    ["dictionary_learning, JumpReLU", "JumpReluAutoEncoder", []],
    ["dictionary_learning, top-k", "AutoEncoderTopK", []],
    ["dictionary_learning, BatchTopK", "BatchTopKSAE", []],
    ["dictionary_learning, legacy bf16", "AutoEncoderNew-legacy", []],
  ])("encode with %s gives its library's latents", async (_, name, more) => {
    const { rows } = await antecedentJson<Encoded>([...encode, "--sae", saes(name), ...more]);
    const { values, latents } = await expected(saes(name));
    const got = new Float32Array(values.length);
    for (const { id, token, value } of rows[0]!.latents) got[token * latents + id] = value;
    const scale = values.reduce((max, value) => Math.max(max, value), 0);
    for (let i = 0; i < values.length; i++) {
      expect(got[i] === 0).toBe(values[i] === 0);
      expect(Math.abs(got[i]! - values[i]!)).toBeLessThan(1e-5 * scale);
    }
  });

  it.concurrent("find scores latents by −W_dec·v̄ with the decoder as stored", async () => {
    const file = freshPath("vectors.safetensors");
    const sae = saes("goodfire/Tiny-Instruct-SAE-l1.pth");
    const { vectors } = await antecedentJson<{ vectors: { latents: { id: number; score: number }[] }[] }>([
      ...["find", "sae-attribution", "--model", golden("model"), "--prompts", golden("prompts.jsonl")],
      ...["--action", "I won't", "--sae", sae, "--top", "24", "--save", file],
    ]);
    const saved = memorySource(file, new Uint8Array(readFileSync(file)));
    const direction = await readTensorF32(saved, (await readSafetensorsHeader(saved)).tensors.get("directions")!);
    const torch = memorySource(sae, new Uint8Array(readFileSync(sae)));
    const { source, entry } = (await readTorchFile(torch)).get("decoder_linear.weight")!; // [d, m]
    const decoder = await readTensorF32(source, entry);
    const scores = Array.from(
      { length: 24 },
      (_, id) => -direction.reduce((s, v, i) => s + v * decoder[i * 24 + id]!, 0),
    );
    const { latents } = vectors[0]!;
    expect(latents.map(({ id }) => id).sort((a, b) => a - b)).toEqual(scores.map((_, id) => id));
    const largest = Math.max(...scores.map(Math.abs));
    for (const { id, score } of latents) expect(Math.abs(score - scores[id]!)).toBeLessThan(1e-5 * largest);
  });

  it.concurrent("info tells a file from its neighbours", async () => {
    const folder = copyOf("sae", (path) => cpSync(saes("goodfire/Tiny-Instruct-SAE-l1.pth"), path("x-l2.pth")));
    const info = (sae: string) => antecedentJson<object>(["sae", "info", sae]);
    expect(await info(folder)).toMatchObject({ format: "saelens", dModel: 16, latents: 48 });
    expect(await info(join(folder, "x-l2.pth"))).toMatchObject({
      format: "goodfire",
      dModel: 16,
      latents: 24,
      layer: 2,
    });
    await refuses(["sae", "info", join(folder, "cfg.json")], /is not a file of weights/);
  });

  it.concurrent("a path that names no layer asks for one", () =>
    refuses([...encode, "--sae", saes("gemma-scope-compressed")], /does not say after which block it reads.*--layer/));

  it.concurrent("a hostile SAE ends in one line, and nothing runs", async () => {
    const trace = freshPath("owned");
    const file = freshPath("sae-l1.pt");
    for (const bytes of [hostile(trace), zipOf({ "a/data.pkl": hostile(trace) })]) {
      writeFileSync(file, bytes);
      await refuses([...encode, "--sae", file], /the pickle asks for "posix\.system"/);
    }
    expect(() => readFileSync(trace)).toThrow();
  });
});
