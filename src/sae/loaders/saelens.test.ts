import { readdirSync, readFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { InputError } from "../../formats/input-error.js";
import { memoryFolder, memorySource } from "../../formats/memory-source.js";
import { readSafetensorsHeader, readTensorF32, writeSafetensors } from "../../formats/safetensors.js";
import { describeSae, openSae } from "../registry.js";
import { testRuntime } from "../runtime.testing.js";
import type { SparseLatents } from "../sae.js";
import type { SaeWeights } from "../weights.js";
import { loadSaeLens, writeSaeLens } from "./saelens.js";

/** Written by SAELens 6.54 through test/goldens/sae.py. */
const GOLDENS = new URL("../../../test/goldens/sae/", import.meta.url);
const file = (path: string) => new Uint8Array(readFileSync(new URL(path, GOLDENS)));
const golden = (name: string) =>
  memoryFolder(name, {
    "cfg.json": file(`${name}/cfg.json`),
    "sae_weights.safetensors": file(`${name}/sae_weights.safetensors`),
  });

/** Small enough to be in memory. */
const loadSmall = async (name: string) => (await loadSaeLens(golden(name), name)) as SaeWeights<Float32Array>;

async function tensor(bytes: Uint8Array, name: string): Promise<Float32Array> {
  const source = memorySource(name, bytes);
  return readTensorF32(source, (await readSafetensorsHeader(source)).tensors.get(name)!);
}

function dense(sparse: SparseLatents, latents: number): Float32Array {
  const rows = sparse.rowStart.length - 1;
  const out = new Float32Array(rows * latents);
  for (let r = 0; r < rows; r++) {
    for (let at = sparse.rowStart[r]!; at < sparse.rowStart[r + 1]!; at++)
      out[r * latents + sparse.ids[at]!] = sparse.values[at]!;
  }
  return out;
}

const runtime = testRuntime();
afterAll(() => runtime.close());

describe("SAELens folders", () => {
  for (const name of readdirSync(GOLDENS)) {
    it(`${name}: latents and reconstructions as SAELens computes them`, async () => {
      const sae = await openSae(golden(name), runtime);
      const bytes = file(`${name}/expected.safetensors`);
      const want = await tensor(bytes, "latents");
      const got = dense(await sae.encode(await tensor(bytes, "x")), sae.info.latents);
      expect(got.length).toBe(want.length);
      for (let i = 0; i < want.length; i++) {
        expect(got[i] === 0, `latent ${i % 40} of row ${Math.floor(i / 40)}`).toBe(want[i] === 0);
        expect(Math.abs(got[i]! - want[i]!)).toBeLessThan(1e-5 * Math.max(1, Math.abs(want[i]!)));
      }
      const back = await tensor(bytes, "reconstruction");
      const { rows, latents } = await sae.reconstruct(await tensor(bytes, "x"));
      expect(dense(latents, sae.info.latents)).toEqual(got);
      expect(rows.length).toBe(back.length);
      // SAELens leaves the 1e-5 that layer norm divides by out on the way back.
      rows.forEach((value, i) =>
        expect(Math.abs(value - back[i]!)).toBeLessThan(5e-5 * Math.max(1, Math.abs(back[i]!))),
      );
      await sae.close();
    });

    it(`${name}: latents add as many decoder rows as SAELens' reconstruction holds of them`, async () => {
      const sae = await openSae(golden(name), runtime);
      const { normalize_activations: mode } = JSON.parse(new TextDecoder().decode(file(`${name}/cfg.json`)));
      const bytes = file(`${name}/expected.safetensors`);
      const { dModel: d, latents: m } = sae.info;
      const [x, f, back] = [
        await tensor(bytes, "x"),
        await tensor(bytes, "latents"),
        await tensor(bytes, "reconstruction"),
      ];
      // What is left of a reconstruction without its latents is the decoder's bias, which layer norm has moved and all norms have stretched.
      const biases: number[][] = [];
      for (let r = 0; r < x.length / d; r++) {
        const row = x.slice(r * d, (r + 1) * d);
        const mean = mode === "layer_norm" ? row.reduce((sum, value) => sum + value, 0) / d : 0;
        const squares = row.reduce((sum, value) => sum + (value - mean) ** 2, 0);
        const length =
          mode === "layer_norm"
            ? Math.sqrt(squares / (d - 1))
            : mode === "constant_norm_rescale"
              ? Math.sqrt(squares / d)
              : 1;
        const lengths = await sae.unitLengths(async () => row);
        if (lengths !== undefined) expect(lengths.length).toBe(m);
        const added = await sae.decode(f.slice(r * m, (r + 1) * m).map((value, j) => value * (lengths?.[j] ?? 1)));
        biases.push([...added].map((value, i) => (back[r * d + i]! - value - mean) / length));
      }
      for (const bias of biases) bias.forEach((value, i) => expect(value).toBeCloseTo(biases[0]![i]!, 3));
      await sae.close();
    });
  }

  it("says what it is and where it reads", async () => {
    expect(await describeSae(golden("gated"))).toEqual({
      name: "gated",
      format: "saelens",
      architecture: "gated",
      dModel: 12,
      latents: 40,
      layer: 2,
      hook: "blocks.2.hook_resid_post",
    });
    expect(await describeSae(golden("old-topk"))).toMatchObject({
      architecture: "topk",
      layer: 2,
      hook: "blocks.3.hook_resid_pre",
    });
  });

  it("projects, decodes and picks rows with the decoder as stored", async () => {
    const sae = await openSae(golden("jumprelu"), runtime);
    const weights = await loadSmall("jumprelu");
    const v = Float32Array.from({ length: 24 }, (_, i) => Math.sin(i));
    const at = (values: Float32Array, row: number, width: number) => values.subarray(row * width, (row + 1) * width);
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
    const byDecoder = await sae.projectDecoder(v); // [2, 40]
    expect(byDecoder[40 + 7]).toBeCloseTo(dot(at(v, 1, 12), at(weights.decoder, 7, 12)), 5);
    const byEncoder = await sae.projectEncoder(v);
    expect(byEncoder[40 + 7]).toBeCloseTo(
      dot(
        at(v, 1, 12),
        Float32Array.from({ length: 12 }, (_, i) => weights.encoder[i * 40 + 7]!),
      ),
      5,
    );
    const z = new Float32Array(80);
    z[40 + 7] = 2;
    expect([...at(await sae.decode(z), 1, 12)]).toEqual([...at(weights.decoder, 7, 12)].map((x) => 2 * x));
    expect([...(await sae.decoderRow(7))]).toEqual([...at(weights.decoder, 7, 12)]);
    expect((await sae.decoderNorms())[7]).toBeCloseTo(Math.hypot(...at(weights.decoder, 7, 12)), 6);
    const column = weights.encoder.filter((_, i) => i % weights.info.latents === 7);
    expect((await sae.encoderNorms())[7]).toBeCloseTo(Math.hypot(...column), 6);
    await expect(sae.decoderRow(40)).rejects.toThrow("0 … 39");
    await sae.close();
  });

  it("writes what it can read back", async () => {
    for (const name of ["jumprelu", "topk-rescale", "standard-no-bias", "jumprelu-layer-norm"]) {
      const weights = await loadSmall(name);
      const files = writeSaeLens(weights, { modelName: "tiny", hook: "blocks.2.hook_resid_post", extra: { k: 6 } });
      const folder = memoryFolder(name, Object.fromEntries(files.map(({ name, bytes }) => [name, bytes])));
      expect(await loadSaeLens(folder, name)).toEqual(weights);
    }
  });
});

describe("what is refused", () => {
  const weights = file("jumprelu/sae_weights.safetensors");
  const config = JSON.parse(new TextDecoder().decode(file("jumprelu/cfg.json")));
  const load = (change: object, bytes: Uint8Array = weights) =>
    loadSaeLens(
      memoryFolder("x", { "cfg.json": JSON.stringify({ ...config, ...change }), "sae_weights.safetensors": bytes }),
      "x",
    );

  it.each([
    [
      "a transcoder",
      { architecture: "transcoder" },
      'architecture "transcoder" is not supported (it reads one place of the model and writes another); standard, topk, jumprelu, gated are',
    ],
    ["signed latents", { architecture: "abstopk" }, "(its latents have signs); standard, topk, jumprelu, gated are"],
    ["an unknown architecture", { architecture: "toString" }, '"toString" is not supported; standard,'],
    [
      "another hook",
      { metadata: { ...config.metadata, hook_name: "blocks.2.hook_mlp_out" } },
      "only the residual stream can be read",
    ],
    ["heads", { reshape_activations: "hook_z" }, "only SAEs of the residual stream"],
    ["whitening", { normalize_activations: "covariance_whitening" }, "is not supported; none,"],
    ["a wrong width", { d_in: 13 }, "W_enc has shape [12, 40]; cfg.json says [13, 40]"],
    ["a wrong count", { d_sae: 41 }, "threshold has shape [40]; cfg.json says [41]"],
    ["a missing tensor", { architecture: "gated" }, 'tensor "b_enc" does not belong to the architecture gated'],
    ["no width", { d_in: "wide" }, "x/cfg.json: d_in"],
    ["a bad k", { architecture: "topk", k: 1000 }, "k is 1000; it must be a whole number from 1 to d_sae = 40"],
  ])("%s", async (_, change, message) => {
    const failure = await load(change).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(InputError);
    expect((failure as Error).message).toContain(message);
    expect((failure as Error).message.split("\n")).toHaveLength(1);
  });

  it("weights that are not finite, and a scaling factor that is not 1", async () => {
    const ones = new Float32Array(40).fill(1);
    const parts = { W_enc: [12, 40], W_dec: [40, 12], b_dec: [12], b_enc: [40], threshold: [40] };
    const tensors = Object.entries(parts).map(([name, shape]) => ({
      name,
      shape,
      dtype: "F32" as const,
      data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
    }));
    const scaled = { name: "scaling_factor", shape: [40], dtype: "F32" as const, data: ones };
    await expect(load({}, writeSafetensors([...tensors, scaled]))).resolves.toBeDefined();
    ones[3] = 2;
    await expect(load({}, writeSafetensors([...tensors, scaled]))).rejects.toThrow("scaling_factor is not all ones");
    tensors[0]!.data[5] = Number.NaN;
    await expect(load({}, writeSafetensors(tensors))).rejects.toThrow('"W_enc" holds NaN at element 5');
  });

  it("a folder of something else", async () => {
    await expect(openSae(memoryFolder("model", { "config.json": "{}" }), testRuntime())).rejects.toThrow(
      "model: not an SAE in a known format; known: saelens (cfg.json and sae_weights.safetensors)",
    );
  });
});
