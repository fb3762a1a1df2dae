/** What the commands print, against what transformers, peft and sae_lens compute (test/goldens/checkpoint.py). */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeSafetensors } from "../formats/safetensors.js";
import { antecedent, antecedentJson, golden } from "./program.testing.js";

interface Expected {
  readonly action: string;
  readonly layer: number;
  readonly tokens: number[];
  /** [prompt][action token] */
  readonly score: number[][];
  readonly steered: number[][];
  readonly adapted: number[][];
  readonly ended: number[][];
  readonly replies: number[][];
  readonly latents: { token: number; id: number; value: number }[];
}
const expected = JSON.parse(readFileSync(golden("expected.json"), "utf8")) as Expected;

const model = ["--model", golden("model"), "--prompts", golden("prompts.jsonl"), "--threads", "1"];
const action = ["--action", expected.action];
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "antecedent-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface ScoreResult {
  readonly rows: { index: number; logprob: number; tokenLogprobs: number[]; tokens: number[]; greedyMatch: boolean }[];
  readonly loss: number;
  readonly actionRate: { count: number; total: number; rate: number; low: number; high: number };
  readonly used: Record<string, unknown>;
}

/** transformers and we both compute in f32. */
const DIGITS = 3;

function expectLogprobs({ rows }: ScoreResult, wanted: number[][]): void {
  expect(rows.map(({ index }) => index)).toEqual(wanted.map((_, i) => i));
  rows.forEach(({ tokenLogprobs }, i) => {
    expect(tokenLogprobs.length).toBe(wanted[i]!.length);
    tokenLogprobs.forEach((value, j) => {
      expect(value).toBeCloseTo(wanted[i]![j]!, DIGITS);
    });
  });
}

describe("score", () => {
  it("gives the log-probability of each action token, their sum, the mean loss and the rate", async () => {
    const result = await antecedentJson<ScoreResult>(["score", ...model, ...action]);
    expectLogprobs(result, expected.score);
    expect(result.rows[0]!.tokens).toEqual(expected.tokens);
    expect(result.rows[0]!.logprob).toBeCloseTo(sum(expected.score[0]!), DIGITS);
    const losses = expected.score.map((row) => -sum(row) / row.length);
    expect(result.loss).toBeCloseTo(sum(losses) / losses.length, DIGITS);
    expect(result.actionRate).toMatchObject({ count: 0, total: 3, rate: 0, low: 0 });
    expect(result.used).toMatchObject({ engine: "onnx/cpu", dtype: "f32", adapter: null, positions: "user" });
  });

  it("steers the pocket model at its SAE's layer where neither flag nor file says one", async () => {
    const file = join(folder, "no-layer.safetensors");
    const data = new Float32Array(128).fill(0.5);
    writeFileSync(file, writeSafetensors([{ name: "direction", dtype: "F32", shape: [128], data }], {}));
    const asked = ["score", "--model", "pocket", "--prompts", golden("prompts.jsonl"), ...action, "--steer", file];
    const [left, said] = await Promise.all([
      antecedentJson<ScoreResult>(asked),
      antecedentJson<ScoreResult>([...asked, "--layer", "2"]),
    ]);
    expect(left.rows).toEqual(said.rows);
  });

  it("steers with one vector of a file at the given layer", async () => {
    const steer = ["--steer", `${golden("directions.safetensors")}:1`, "--layer", String(expected.layer)];
    expectLogprobs(await antecedentJson(["score", ...model, ...action, ...steer]), expected.steered);
    // vector 0 is zero, and so is anything times 0
    expectLogprobs(
      await antecedentJson(["score", ...model, ...action, "--steer", golden("directions.safetensors"), "--layer", "1"]),
      expected.score,
    );
    expectLogprobs(await antecedentJson(["score", ...model, ...action, ...steer, "--scale", "0"]), expected.score);
  });

  it("applies an adapter", async () => {
    expectLogprobs(
      await antecedentJson(["score", ...model, ...action, "--adapter", golden("adapter")]),
      expected.adapted,
    );
  });

  it("adds the end of the turn with --action-ends", async () => {
    expectLogprobs(await antecedentJson(["score", ...model, ...action, "--action-ends"]), expected.ended);
  });
});

it("generate says what transformers says, greedily", async () => {
  const { rows } = await antecedentJson<{ rows: { tokens: number[]; stopped: boolean; text: string }[] }>([
    "generate",
    ...model,
    "--max-tokens",
    "6",
  ]);
  expect(rows.map(({ tokens }) => tokens)).toEqual(expected.replies);
  expect(rows.map(({ stopped }) => stopped)).toEqual([false, false, false]);
});

it("generate samples the same replies for the same seed, and others for another", async () => {
  const sample = (seed: string) =>
    antecedentJson<{ rows: { tokens: number[] }[] }>([
      "generate",
      ...model,
      "--temperature",
      "1.5",
      "--max-tokens",
      "8",
      "--seed",
      seed,
    ]);
  const [one, again, other] = [await sample("1"), await sample("1"), await sample("2")];
  expect(again.rows).toEqual(one.rows);
  expect(other.rows).not.toEqual(one.rows);
});

it("encode gives every non-zero latent on user tokens at the SAE's own layer", async () => {
  const { rows, used } = await antecedentJson<{
    rows: { latents: Expected["latents"] }[];
    used: Record<string, unknown>;
  }>(["encode", ...model, "--sae", golden("sae")]);
  expect(used.layer).toBe(expected.layer);
  const byPlace = (a: Expected["latents"][number], b: Expected["latents"][number]) => a.token - b.token || a.id - b.id;
  const got = [...rows[0]!.latents].sort(byPlace);
  expect(got.map(({ token, id }) => [token, id])).toEqual(expected.latents.map(({ token, id }) => [token, id]));
  got.forEach(({ value }, i) => {
    expect(value).toBeCloseTo(expected.latents[i]!.value, DIGITS);
  });
});

it("says where a layer is given that the SAE does not read", async () => {
  const encode = (layer: number) => antecedent(["encode", ...model, "--sae", golden("sae"), "--layer", String(layer)]);
  const own = await encode(expected.layer);
  const other = await encode(expected.layer === 0 ? 1 : 0);
  expect([own.code, other.code]).toEqual([0, 0]);
  expect(own.stderr).not.toMatch(/reads the residual stream/);
  expect(other.stderr).toMatch(/reads the residual stream after block \d+; --layer \d+ has it read another/);
});

it("find saves vectors that score can steer with", async () => {
  const file = join(folder, "vectors.safetensors");
  const found = await antecedentJson<{
    method: string;
    layer: number;
    timing: Record<string, number>;
    vectors: {
      loss: { initial: number; final: number };
      steps: number;
      latents: unknown[];
      steered: { samples: unknown[] };
    }[];
  }>([
    "find",
    "supervised-sae-melbo",
    ...model,
    ...action,
    "--sae",
    golden("sae"),
    "--steps",
    "20",
    "--lambda",
    "0.001",
    "--vectors",
    "2",
    "--top",
    "5",
    "--save",
    file,
  ]);
  expect(found).toMatchObject({ method: "supervised-sae-melbo", layer: 1 });
  expect(found.vectors).toHaveLength(2);
  const [first] = found.vectors;
  expect(first!.loss.final).toBeLessThan(first!.loss.initial);
  expect(first!.steps).toBeLessThanOrEqual(20);
  expect(first!.steered.samples).toHaveLength(3);
  for (const key of ["setupSeconds", "secondsPerStep", "peakMemoryBytes"]) expect(found.timing[key]).toBeGreaterThan(0);
  // The layer comes from the file.
  const steered = await antecedentJson<ScoreResult>(["score", ...model, ...action, "--steer", file]);
  expect(steered.loss).toBeCloseTo(first!.loss.final, DIGITS);
});

describe("find without an action", () => {
  interface Found {
    readonly hyperparameters: Record<string, unknown>;
    readonly timing: Record<string, number>;
    readonly controls: { name: string }[];
    readonly vectors: {
      readonly norm: number;
      readonly loss: { initial: number; final: number };
      readonly steps: number;
      readonly lambda: number | null;
      readonly latents: { id: number; score: number; controls: Record<string, { score: number | null }> }[];
      readonly steered: { actionRate: unknown; samples: { unsteered: string; steered: string }[] };
    }[];
    readonly used: Record<string, unknown>;
  }
  const find = (method: string, ...more: string[]) =>
    antecedentJson<Found>(["find", method, ...model, "--layer", "1", "--steps", "12", "--samples", "1", ...more]);

  it("melbo finds its own radius and vectors of that length, and shows replies", async () => {
    const { hyperparameters, timing, vectors, used } = await find("melbo", "--vectors", "2");
    expect(hyperparameters).toMatchObject({ variant: "post", targetLayer: 2, p: 2, q: 1, norm: "of each token" });
    expect(hyperparameters.radiusFrom).toMatch(/^calibrated/);
    expect(hyperparameters.nonlinearity).toBeCloseTo(0.5, 2);
    expect(used).toMatchObject({ action: null, positions: "user" });
    expect(timing.evaluations).toBe(26);
    expect(vectors).toHaveLength(2);
    for (const { norm, loss, latents, steered } of vectors) {
      expect(norm).toBeCloseTo(hyperparameters.radius as number, 4);
      expect(loss.final).toBeLessThan(loss.initial);
      expect(latents).toEqual([]);
      expect(steered.actionRate).toBeNull();
      expect(steered.samples[0]!.steered).not.toBe(steered.samples[0]!.unsteered);
    }
  });

  it("melbo as published steers every token, with the published optimiser", async () => {
    const { hyperparameters, vectors, used } = await find(
      "melbo",
      "--variant",
      "published",
      "--radius",
      "3",
      ...action,
    );
    expect(hyperparameters).toMatchObject({
      variant: "published",
      radius: 3,
      radiusFrom: "given",
      learningRate: 1e-3,
      betas: "0.9, 0.98",
      amsgrad: true,
      norm: "of each hidden unit over tokens",
    });
    expect(used).toMatchObject({ positions: "all" });
    expect(vectors[0]!.norm).toBeCloseTo(3, 4);
    expect(vectors[0]!.steered.actionRate).toMatchObject({ total: 3 });
    // At p = 2 the two norms are the same thing, on the same tokens.
    const post = await find("melbo", "--radius", "3", "--positions", "all");
    expect(post.vectors[0]!.loss.initial).toBeCloseTo(vectors[0]!.loss.initial, 1);
  });

  it("sae-melbo reads few latents, fewer with a larger λ", async () => {
    const path = await find("sae-melbo", "--sae", golden("sae"));
    expect(path.hyperparameters).toMatchObject({ lambda: "path", units: "typical" });
    expect(path.vectors[0]!.latents.length).toBeGreaterThan(0);
    const [dense, sparse] = [
      await find("sae-melbo", "--sae", golden("sae"), "--lambda", "0", "--radius", "4"),
      await find("sae-melbo", "--sae", golden("sae"), "--lambda", "1e6", "--radius", "4"),
    ];
    expect(dense.vectors[0]!.lambda).toBe(0);
    expect(dense.vectors[0]!.norm).toBeCloseTo(4, 4);
    expect(sparse.vectors[0]!.latents.length).toBeLessThan(dense.vectors[0]!.latents.length);
  });

  it.each(["melbo", "sae-melbo"])(
    "%s stands beside itself on the clean model, which its time leaves out",
    async (method) => {
      const args = [method, "--sae", golden("sae"), "--radius", "4"] as const;
      const found = await find(...args, "--adapter", golden("adapter"));
      expect(found.controls.map(({ name }) => name)).toEqual(["clean", "random"]);
      // 12 steps and the start; SAE-MELBO's path may go back to its last good point once.
      expect(found.timing.evaluations).toBeLessThanOrEqual(14);
      // The same search on the clean model by itself.
      const [clean] = (await find(...args)).vectors;
      const [{ latents }] = found.vectors as [(typeof found.vectors)[number]];
      const scores = new Map(clean!.latents.map(({ id, score }) => [id, score]));
      const shared = latents.filter(({ id }) => scores.has(id));
      expect(shared.length).toBeGreaterThan(0);
      for (const { id, controls } of shared) expect(controls.clean!.score).toBeCloseTo(scores.get(id)!, DIGITS);
    },
  );
});

it("find tries layers where none is given, keeps one, and says what each gave", async () => {
  interface Swept {
    readonly layer: number;
    readonly layers: {
      layer: number;
      chosen: boolean;
      elicits: boolean;
      relativeNorm: number;
      rate: { total: number };
    }[];
    readonly vectors: { latents: unknown[]; steered: { heldOut: boolean; actionRate: { total: number } } }[];
  }
  const args = ["find", "supervised-melbo", ...model, ...action, "--steps", "8", "--samples", "0"];
  const listed = await antecedentJson<Swept>([...args, "--layers", "1,0"]);
  expect(listed.layers.map(({ layer }) => layer)).toEqual([0, 1]);
  expect(listed.layers.filter(({ chosen }) => chosen).map(({ layer }) => layer)).toEqual([listed.layer]);
  for (const { relativeNorm } of listed.layers) expect(relativeNorm).toBeGreaterThan(0);
  expect(listed.vectors[0]!.latents).toEqual([]);
  // Prompts that chose the layer are not those that the rate is told of.
  const held = await antecedentJson<Swept>([...args, "--layers", "1,0", "--train", "1"]);
  const [judged, told] = [held.layers[0]!.rate.total, held.vectors[0]!.steered];
  expect(told.heldOut).toBe(true);
  expect([judged, told.actionRate.total]).toEqual([1, 1]);
  // Without a flag and without an SAE the layers are the program's: of three blocks the first two.
  expect((await antecedentJson<Swept>(args)).layers.map(({ layer }) => layer)).toEqual([0, 1]);
});

it("sae info and doctor describe what is there", async () => {
  expect(await antecedentJson(["sae", "info", golden("sae")])).toEqual({
    format: "saelens",
    architecture: "jumprelu",
    dModel: 16,
    latents: 48,
    layer: 1,
    hook: "blocks.1.hook_resid_post",
    notes: null,
  });
  const machine = await antecedentJson<Record<string, unknown>>(["doctor"]);
  expect(machine.node).toBe(process.versions.node);
});

it("prints for people without --json, and nothing but results on stdout", async () => {
  const { code, stdout, stderr } = await antecedent(["score", ...model, ...action]);
  expect(code).toBe(0);
  expect(stderr).toBe("");
  expect(stdout).toContain("How do I keep basil fresh?");
  expect(stdout).toContain("dtype f32");
});

it("help names every command and exits with 0", async () => {
  for (const args of [[], ["--help"], ["organism"]]) {
    const { code, stdout, stderr } = await antecedent(args);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("Usage: antecedent");
  }
});

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
