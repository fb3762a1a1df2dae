/** SAEs in npz and torch files: Gemma Scope, dictionary_learning, Goodfire. */
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { InputError } from "../../formats/input-error.js";
import { memoryFolder, memorySource } from "../../formats/memory-source.js";
import { readSafetensorsHeader, readTensorF32 } from "../../formats/safetensors.js";
import { zipOf } from "../../formats/zip.testing.js";
import { describeSae, detectSaeFormat, openSae } from "../registry.js";
import { testRuntime } from "../runtime.testing.js";
import type { SparseLatents } from "../sae.js";
import type { SaeWeights } from "../weights.js";

/** Written by numpy and torch, read by SAELens and dictionary_learning: test/goldens/sae-containers.py. */
const GOLDENS = new URL("../../../test/goldens/sae-containers/", import.meta.url);
const GEMMA = "gemma-scope-2b-pt-res/layer_1/width_16k/average_l0_6";
const LATENTS = 24;
const bytes = (path: string) => new Uint8Array(readFileSync(new URL(path, GOLDENS)));
const filesOf = (name: string) =>
  Object.fromEntries(
    readdirSync(new URL(`${name}/`, GOLDENS)).map((file) => [file, bytes(`${name}/${file}`)] as const),
  );
const golden = (name: string) => memoryFolder(name, filesOf(name));
async function tensor(path: string, name: string): Promise<Float32Array> {
  const source = memorySource(path, bytes(path));
  return readTensorF32(source, (await readSafetensorsHeader(source)).tensors.get(name)!);
}
function dense({ rowStart, ids, values }: SparseLatents): Float32Array {
  const out = new Float32Array((rowStart.length - 1) * LATENTS);
  for (let r = 0; r + 1 < rowStart.length; r++)
    for (let at = rowStart[r]!; at < rowStart[r + 1]!; at++) out[r * LATENTS + ids[at]!] = values[at]!;
  return out;
}
const load = async (folder: ReturnType<typeof memoryFolder>): Promise<SaeWeights> =>
  (await detectSaeFormat(folder)).load(folder, folder.name);

const runtime = testRuntime();
afterAll(() => runtime.close());

const cases = readdirSync(GOLDENS, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => (name.startsWith("gemma-scope-2b") ? GEMMA : name));

describe("latents as the library of the format computes them", () => {
  it("has every class", () => expect(cases.length).toBe(13));
  it.each(cases)("%s", async (name) => {
    const sae = await openSae(golden(name), runtime);
    const want = await tensor(`${name}/expected.safetensors`, "latents");
    const got = dense(await sae.encode(await tensor("x.safetensors", "x")));
    expect(got.length).toBe(want.length);
    const scale = want.reduce((max, value) => Math.max(max, value), 0);
    for (let i = 0; i < want.length; i++) {
      expect(got[i] === 0, `latent ${i % LATENTS} of row ${Math.floor(i / LATENTS)}`).toBe(want[i] === 0);
      expect(Math.abs(got[i]! - want[i]!)).toBeLessThan(1e-6 * scale);
    }
    await sae.close();
  });
});

describe("what a folder is, without its weights", () => {
  it.each([
    [GEMMA, "gemma-scope", "jumprelu", 1],
    ["gemma-scope-compressed", "gemma-scope", "jumprelu", undefined],
    ["goodfire", "goodfire", "standard", 1],
    ["AutoEncoder", "dictionary-learning", "standard", 1],
    ["GatedAutoEncoder", "dictionary-learning", "gated", 1],
    ["AutoEncoderTopK", "dictionary-learning", "topk", 1],
    ["MatryoshkaBatchTopKSAE", "dictionary-learning", "matryoshka_batchtopk", 1],
  ])("%s", async (name, format, architecture, layer) => {
    expect(await describeSae(golden(name))).toEqual({
      name,
      format,
      architecture,
      dModel: 16,
      latents: LATENTS,
      ...(layer === undefined ? {} : { layer, hook: `blocks.${layer}.hook_resid_post` }),
    });
  });
});

const refuses = async (folder: ReturnType<typeof memoryFolder>, message: RegExp) => {
  const failure = await load(folder).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(InputError);
  expect((failure as Error).message).toMatch(message);
  expect((failure as Error).message.split("\n")).toHaveLength(1);
};

describe("Gemma Scope", () => {
  const files = filesOf(GEMMA);
  it.each([
    [
      "gemma-scope-2b-pt-mlp/layer_3/width_16k/average_l0_9",
      /reads "blocks\.3\.hook_mlp_out"; only the residual stream/,
    ],
    ["models--google--gemma-scope-9b-pt-att/snapshots/ab12/layer_3/width_16k/x", /"blocks\.3\.attn\.hook_z"/],
    ["gemma-scope-2b-pt-transcoders/layer_3/width_16k/x", /is a transcoder/],
    ["gemma-scope-2b-pt-res/embedding/width_4k/x", /reads "hook_embed"/],
  ])("refuses %s", (path, message) => refuses(memoryFolder(path, files), message));

  it("finds the layer in every spelling of the path", async () => {
    for (const path of [`./${GEMMA}`, `C:\\${GEMMA.replaceAll("/", "\\")}`, "layer_1", "/a/layer_1/width_1m/b/"])
      expect(await describeSae(memoryFolder(path, files)), path).toMatchObject({ layer: 1 });
    for (const path of [".", "width_16k", "player_1/x", "layer_x/y"])
      expect(await describeSae(memoryFolder(path, files)), path).not.toHaveProperty("layer");
  });

  it("refuses arrays that are missing, strange, or of another shape", async () => {
    const array = (shape: string, length: number, value = 0) => {
      const header = `{'descr': '<f4', 'fortran_order': False, 'shape': ${shape}, }\n`;
      const start = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0);
      const data = new Uint8Array(new Float32Array(length).fill(value).buffer);
      return new Uint8Array([...start, ...new TextEncoder().encode(header), ...data]);
    };
    const good = {
      "W_enc.npy": array("(2, 3)", 6),
      "W_dec.npy": array("(3, 2)", 6),
      "b_enc.npy": array("(3,)", 3),
      "b_dec.npy": array("(2,)", 2),
      "threshold.npy": array("(3,)", 3),
    };
    const folder = (change: Record<string, Uint8Array>) =>
      memoryFolder("layer_1", { "params.npz": zipOf({ ...good, ...change }) });
    await expect(load(folder({}))).resolves.toMatchObject({ activation: { kind: "jumprelu" } });
    const { "threshold.npy": _, ...less } = good;
    await refuses(
      memoryFolder("layer_1", { "params.npz": zipOf(less) }),
      /"threshold" is missing; a Gemma Scope SAE has/,
    );
    await refuses(folder({ "W_skip.npy": array("(2, 2)", 4) }), /"W_skip" does not belong to a Gemma Scope SAE/);
    await refuses(folder({ "W_dec.npy": array("(2, 3)", 6) }), /W_dec has shape \[2, 3\]; \[3, 2\] would fit/);
    await refuses(folder({ "W_enc.npy": array("(6,)", 6) }), /W_enc has shape \[6\]; a matrix would be right/);
    await refuses(folder({ "W_enc.npy": array("(0, 3)", 0) }), /a matrix would be right/);
    await refuses(folder({ "scaling_factor.npy": array("(3,)", 3, 2) }), /scaling_factor is not all ones/);
    await refuses(folder({ "b_enc.npy": array("(3,)", 3, Number.NaN) }), /"b_enc" holds NaN/);
  });
});

describe("dictionary_learning", () => {
  const changed = (name: string, trainer: object, more: object = {}) => {
    const files = filesOf(name);
    const config = JSON.parse(new TextDecoder().decode(files["config.json"]));
    const text = JSON.stringify({ ...config, ...more, trainer: { ...config.trainer, ...trainer } });
    return memoryFolder(name, { ...files, "config.json": text });
  };
  it.each<[string, object, RegExp]>([
    [
      "BatchTopKSAE",
      { dict_class: "CrossCoder" },
      /dict_class "CrossCoder" is not supported \(crosscoders and transcoders/,
    ],
    ["BatchTopKSAE", { dict_class: "constructor" }, /dict_class "constructor" is not supported/],
    ["AutoEncoder", { dict_class: "GatedAutoEncoder" }, /"decoder_bias" is missing; GatedAutoEncoder has/],
    ["AutoEncoder", { dict_class: "JumpReluAutoEncoder" }, /"W_enc" is missing; the file has "bias"/],
    ["AutoEncoderTopK", { dict_class: "AutoEncoderNew" }, /"decoder\.bias" is missing/],
    [
      "AutoEncoder",
      { dict_size: 25 },
      /encoder\.weight has shape \[24, 16\], so that dict_size is 24; config\.json says 25/,
    ],
    ["JumpReluAutoEncoder", { activation_dim: 24 }, /W_enc has shape \[16, 24\], so that activation_dim is 16/],
    ["AutoEncoderTopK", { k: 4 }, /k is 3; config\.json says 4/],
    ["AutoEncoder", { submodule_name: "attention_out_layer_1" }, /reads "attention_out_layer_1"; only the residual/],
    ["AutoEncoder", { layer: [0, 1] }, /layer is \[0, 1\]; only SAEs of one layer/],
    ["AutoEncoder", { layer: -1 }, /config\.json: trainer\.layer/],
    [
      "AutoEncoder",
      { dict_class: 3 },
      /config\.json: trainer\.dict_class: .*; not a config\.json of dictionary_learning/,
    ],
  ])("refuses %s with %j", (name, change, message) => refuses(changed(name, change), message));

  it("refuses other inputs of a module, and weights without configuration", async () => {
    await refuses(changed("AutoEncoder", {}, { buffer: { io: "in_and_out" } }), /buffer\.io is "in_and_out"/);
    await refuses(memoryFolder("x", { "ae.pt": filesOf("AutoEncoder")["ae.pt"]! }), /x: ae\.pt without config\.json/);
  });

  it("leaves the layer open where none is given, and takes an unnamed submodule for the residual stream", async () => {
    expect(await describeSae(changed("AutoEncoder", { layer: null }))).not.toHaveProperty("layer");
    expect(await describeSae(changed("AutoEncoder", { submodule_name: null }))).toMatchObject({ layer: 1 });
  });
});

describe("Goodfire", () => {
  const weights = filesOf("goodfire")["Tiny-Instruct-SAE-l1.pth"]!;
  it("reads the layer from the file's name, or none", async () => {
    expect(await describeSae(memoryFolder("x", { "SAE-l50.pt": weights }))).toMatchObject({ layer: 50 });
    expect(await describeSae(memoryFolder("x", { "model1.pth": weights }))).not.toHaveProperty("layer");
  });

  it("refuses files of other things", async () => {
    const other = (name: string) => memoryFolder("x", { "a-l1.pt": filesOf(name)["ae.pt"]! });
    await refuses(other("JumpReluAutoEncoder"), /"encoder_linear\.weight" is missing; a Goodfire SAE has/);
    await refuses(other("AutoEncoder"), /"decoder\.bias" is missing; a Goodfire SAE has/);
    await refuses(
      memoryFolder("x", { "a.pt": weights, "b.pt": weights }),
      /not an SAE in a known format; known: .*goodfire/,
    );
    await refuses(memoryFolder("x", { "a.pt": "no pickle" }), /is not a file that torch\.save wrote/);
  });

  it("reads the same layers by their later names", async () => {
    const renamed = await load(memoryFolder("x", { "a-l1.pt": filesOf("AutoEncoderNew")["ae.pt"]! }));
    const same = await load(golden("AutoEncoderNew"));
    expect(renamed.encoder).toEqual(same.encoder);
    expect(renamed.decoder).toEqual(same.decoder);
    expect(renamed.subtractDecoderBias).toBe(false);
  });
});
