import { afterAll, describe, expect, it } from "vitest";
import { InputError } from "../../formats/input-error.js";
import { memoryFolder } from "../../formats/memory-source.js";
import { type TensorToWrite, writeSafetensors } from "../../formats/safetensors.js";
import { describeSae, openSae } from "../registry.js";
import { testRuntime } from "../runtime.testing.js";
import { dense, expected, goldenFolder, goldenFolders } from "./goldens.testing.js";

/** Written by sparsify, sae-lens and OpenMOSS' formulas through test/goldens/sae_formats.py. */
const GOLDENS = new URL("../../../test/goldens/sae-formats/", import.meta.url);
/** What the references computed, in f32: relative to the value, or to 1 where values are small. */
const TOLERANCE = 1e-5;

const runtime = testRuntime();
afterAll(() => runtime.close());

function expectClose(got: Float32Array, want: Float32Array): void {
  expect(got.length).toBe(want.length);
  for (let i = 0; i < want.length; i++) {
    expect(got[i] === 0, `element ${i}: ${got[i]} for ${want[i]}`).toBe(want[i] === 0);
    expect(Math.abs(got[i]! - want[i]!)).toBeLessThan(TOLERANCE * Math.max(1, Math.abs(want[i]!)));
  }
}

describe("SAE folders of other libraries", () => {
  const names = goldenFolders(GOLDENS);
  it("are there", () => expect(names.length).toBeGreaterThanOrEqual(16));

  it.each(names)("%s: latents and decoder as the library has them", async (name) => {
    const sae = await openSae(goldenFolder(GOLDENS, name), runtime);
    const { latents: m, dModel: d } = sae.info;
    const x = await expected(GOLDENS, name, "x");
    const want = await expected(GOLDENS, name, "latents");
    expectClose(dense(await sae.encode(x), m), want);
    expect(want.filter((value) => value > 0).length).toBeGreaterThan(20); // the case would test nothing otherwise

    const decoder = await expected(GOLDENS, name, "decoder");
    const identity = Float32Array.from({ length: m * m }, (_, i) => (i % (m + 1) === 0 ? 1 : 0));
    expectClose(await sae.decode(identity), decoder);
    expectClose(await sae.decoderRow(3), decoder.subarray(3 * d, 4 * d));
    const v = x.subarray(0, d);
    const products = Float32Array.from({ length: m }, (_, j) =>
      v.reduce((sum, value, i) => sum + value * decoder[j * d + i]!, 0),
    );
    expectClose(await sae.projectDecoder(v), products);
    const norms = await sae.decoderNorms();
    expect(norms[3]).toBeCloseTo(Math.hypot(...decoder.subarray(3 * d, 4 * d)), 5);
    await sae.close();
  });

  it.each([
    ["Llama3_1-8B-Base-L1R-8x", "llama-scope", "jumprelu", "blocks.1.hook_resid_post"],
    ["llama-scope-topk", "llama-scope", "topk", "blocks.1.hook_resid_post"],
    ["openmoss-topk", "openmoss", "topk", "blocks.1.hook_resid_post"],
    ["openmoss-folded-relu", "openmoss", "standard", "blocks.1.hook_resid_post"],
    ["gemma-scope-2", "gemma-scope-2", "jumprelu", "model.layers.1.output"],
    ["resid_post/layer_1_width_16k_l0_medium", "gemma-scope-2", "jumprelu", "model.layers.1.output"],
    ["layers.1", "sparsify", "topk", "layers.1"],
    ["sparsify-groupmax/layers.1", "sparsify", "groupmax", "layers.1"],
  ])("%s says what it is", async (name, format, architecture, hook) => {
    const info = await describeSae(goldenFolder(GOLDENS, name));
    expect(info).toMatchObject({ format, architecture, dModel: 12, latents: 40, layer: 1, hook });
  });
});

/** A golden folder with other values in its configuration, other tensors or another name. */
async function changed(
  name: string,
  config: string,
  values: object,
  { as = name, tensors }: { as?: string; tensors?: [string, readonly TensorToWrite[]] } = {},
) {
  const folder = goldenFolder(GOLDENS, name);
  const files: Record<string, Uint8Array | string> = {};
  for (const file of [
    config,
    "checkpoints/final.safetensors",
    "sae_weights.safetensors",
    "params.safetensors",
    "sae.safetensors",
  ])
    if (await folder.has(file)) {
      const source = await folder.open(file);
      files[file] = await source.read(0, source.size);
    }
  const known = JSON.parse(new TextDecoder().decode(files[config] as Uint8Array));
  files[config] = JSON.stringify({ ...known, ...values });
  if (tensors) files[tensors[0]] = writeSafetensors(tensors[1]);
  return memoryFolder(as, files);
}

describe("what is refused, in one line", () => {
  const llama = "Llama3_1-8B-Base-L1R-8x";
  const zeros = (name: string, ...shape: number[]): TensorToWrite => ({
    name,
    shape,
    dtype: "F32",
    data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
  });
  const refuses = async (folder: ReturnType<typeof changed>, message: string) => {
    const failure = await openSae(await folder, runtime).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(InputError);
    expect((failure as Error).message).toContain(message);
    expect((failure as Error).message.split("\n")).toHaveLength(1);
  };

  it.each([
    ["a transcoder", { hook_point_out: "blocks.1.hook_mlp_out" }, 'reads "blocks.1.hook_resid_post" and writes'],
    [
      "another place",
      { hook_point_in: "blocks.1.hook_attn_out", hook_point_out: null },
      "only the residual stream can be read",
    ],
    ["a gated linear unit", { use_glu_encoder: true }, "use_glu_encoder"],
    ["scaling by the batch", { norm_activation: "batch-wise" }, '"batch-wise" is not supported; dataset-wise,'],
    ["no averages", { dataset_average_activation_norm: null }, "dataset_average_activation_norm is not there"],
    ["an average of 0", { dataset_average_activation_norm: { in: 0, out: 1 } }, "must be a positive number"],
    ["another activation", { act_fn: "tanh" }, 'act_fn "tanh" is not supported; relu, topk and jumprelu are'],
    ["no threshold", { jump_relu_threshold: null }, "jump_relu_threshold is missing"],
    ["a bad k", { act_fn: "topk", jump_relu_threshold: 0, top_k: 41 }, "top_k is 41; it must be a whole number from 1"],
    ["a wrong width", { d_model: 13, d_sae: 40 }, "shape [12]; hyperparams.json says [13] (d_model and d_sae)"],
    ["no width", { d_model: null }, "not the hyperparams.json of a Llama Scope SAE"],
    ["no number of latents", { d_sae: null, expansion_factor: null }, "neither d_sae nor a whole"],
  ])("Llama Scope: %s", (_, values, message) => refuses(changed(llama, "hyperparams.json", values), message));

  it("Llama Scope: a missing and a strange tensor", async () => {
    const file = "checkpoints/final.safetensors";
    const parts = [zeros("encoder.weight", 40, 12), zeros("encoder.bias", 40), zeros("decoder.weight", 12, 40)];
    await refuses(changed(llama, "hyperparams.json", {}, { tensors: [file, parts] }), '"decoder.bias" is missing');
    const strange = [...parts, zeros("decoder.bias", 12), zeros("encoder_glu.weight", 40, 12)];
    await refuses(
      changed(llama, "hyperparams.json", {}, { tensors: [file, strange] }),
      'tensor "encoder_glu.weight" does not belong to a Llama Scope SAE',
    );
  });

  it.each([
    ["a crosscoder", { sae_type: "crosscoder" }, 'sae_type "crosscoder" is not supported; only "sae" is'],
    ["a transcoder", { hook_point_out: "blocks.1.hook_mlp_out" }, "a transcoder"],
    ["BatchTopK", { act_fn: "batchtopk" }, "depend on the other tokens of a batch"],
    ["no latents", { expansion_factor: 0.01 }, "is not a number of latents"],
    ["no thresholds", { act_fn: "jumprelu" }, '"log_jumprelu_threshold" is missing'],
    ["another hook point", { hook_point_in: "blocks.2.hook_resid_post", hook_point_out: null }, "is not there"],
  ])("OpenMOSS: %s", (_, values, message) => refuses(changed("openmoss-topk", "config.json", values), message));

  it.each([
    ["another architecture", { architecture: "topk" }, '"topk" is not supported; "jump_relu" is'],
    [
      "another place",
      { hf_hook_point_in: "model.layers.1.self_attn.o_proj.input", hf_hook_point_out: null },
      "only the",
    ],
    ["a transcoder", { hf_hook_point_out: "model.layers.1.post_feedforward_layernorm.output" }, "a transcoder"],
  ])("Gemma Scope 2: %s", (_, values, message) => refuses(changed("gemma-scope-2", "config.json", values), message));

  it("Gemma Scope 2: another place by the path, and a skip connection", async () => {
    const bytes = writeSafetensors([zeros("w_enc", 12, 40), zeros("affine_skip_connection", 12, 12)]);
    const named = async (name: string) => memoryFolder(name, { "params.safetensors": bytes });
    await refuses(named("gs/attn_out/layer_1_width_16k_l0_medium"), "attn_out is not the residual stream");
    await refuses(named("somewhere"), "a transcoder with a skip connection");
  });

  it.each([
    ["a transcoder", { transcode: true }, "a transcoder (transcode is true)"],
    ["a skip connection", { skip_connection: true }, "skip_connection is true"],
    ["signs", { signed: true }, "signed is true"],
    ["another activation", { activation: "relu" }, "activation"],
    ["unequal groups", { activation: "groupmax", k: 7 }, "the 40 latents are not 7 equal groups"],
    ["a wrong width", { num_latents: 39 }, "cfg.json says [39, 12] (d_in and num_latents or expansion_factor)"],
  ])("sparsify: %s", (_, values, message) => refuses(changed("layers.1", "cfg.json", values), message));

  it.each(["layers.1.mlp", "run/layers.1.attention", "embed_tokens"])("sparsify: the place %s", (as) =>
    refuses(changed("layers.1", "cfg.json", {}, { as }), "only the residual stream can be read"),
  );
});
