/** Latents and readings of vectors as commands print them: against weights read by hand, and on the pocket model. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ResultCard } from "../../audit/answer/present-card.js";
import { readFiniteF32, readSafetensorsHeader } from "../../formats/safetensors.js";
import { openFile } from "../../store/node-file-source.js";
import type { VectorJson } from "../find/find-report.js";
import { antecedent, antecedentJson, golden } from "../program.testing.js";
import { pocketFiles } from "../terminal/package-files.js";

const goldenModel = ["--model", golden("model"), "--sae", golden("sae"), "--threads", "1"];
/** Enough prompts for the tests' latents to fire on, few enough to be read in a second. */
const CORPUS_PROMPTS = 300;
let folder = "";
let corpus = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "antecedent-"));
  corpus = join(folder, "corpus.jsonl");
  const lines = readFileSync(join(pocketFiles.prompts, "corpus.jsonl"), "utf8").split("\n");
  writeFileSync(corpus, lines.slice(0, CORPUS_PROMPTS).join("\n"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function tensor(file: string, name: string): Promise<Float32Array> {
  const source = await openFile(file);
  return readFiniteF32(source, (await readSafetensorsHeader(source)).tensors.get(name)!);
}

interface Latents {
  readonly latents: (ResultCard & { nearest: { id: number; cosine: number }[] })[];
  readonly used: Record<string, unknown>;
}

describe("sae latents", () => {
  it("gives W_U (w ⊙ d) less its mean as logit effect, and the nearest rows", async () => {
    const { latents, used } = await antecedentJson<Latents>(["sae", "latents", ...goldenModel, "--ids", "7, 3"]);
    expect(used.layer).toBe(1);
    expect(latents.map(({ id }) => id)).toEqual([7, 3]);
    // The embedding is tied: it is W_U.
    const weights = golden("model/model.safetensors");
    const [unembedding, norm, decoder] = [
      await tensor(weights, "model.embed_tokens.weight"),
      await tensor(weights, "model.norm.weight"),
      await tensor(golden("sae/sae_weights.safetensors"), "W_dec"),
    ];
    const d = norm.length;
    const row = (matrix: Float32Array, i: number) => matrix.subarray(i * d, (i + 1) * d);
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
    const direction = row(decoder, 7).map((x, i) => x * norm[i]!);
    // The embedding is padded: only ids of the tokenizer count.
    const { model, added_tokens: added } = JSON.parse(readFileSync(golden("model/tokenizer.json"), "utf8"));
    const ids = new Set<number>([
      ...(Object.values(model.vocab) as number[]),
      ...added.map((t: { id: number }) => t.id),
    ]);
    expect(ids.size).toBeLessThan(unembedding.length / d);
    const effect = Array.from(ids, (token) => ({ token, value: dot(direction, row(unembedding, token)) }));
    const mean = effect.reduce((sum, { value }) => sum + value, 0) / effect.length;
    effect.sort((a, b) => b.value - a.value);
    const [{ logitEffect, nearest }] = latents as [Latents["latents"][number]];
    for (const [listed, wanted] of [
      [logitEffect!.raised, effect.slice(0, 8)],
      [logitEffect!.lowered, effect.slice(-8).reverse()],
    ] as const) {
      expect(listed.map(({ token }) => token)).toEqual(wanted.map(({ token }) => token));
      listed.forEach(({ value }, i) => {
        expect(value).toBeCloseTo(wanted[i]!.value - mean, 4);
      });
    }
    const own = row(decoder, 7);
    const cosines = Array.from({ length: decoder.length / d }, (_, j) => {
      const other = row(decoder, j);
      return j === 7 ? -1 : dot(own, other) / Math.sqrt(dot(own, own) * dot(other, other));
    });
    expect(nearest[0]!.cosine).toBeCloseTo(Math.max(...cosines), 5);
    expect(nearest[0]!.id).toBe(cosines.indexOf(Math.max(...cosines)));
  });

  it("reads contexts, tokens and rates off the corpus, without the template's marks", async () => {
    const { latents } = await antecedentJson<Latents>([
      "sae",
      "latents",
      "--model",
      "pocket",
      "--search",
      "UKULELE",
      "--prompts",
      corpus,
    ]);
    const [latent] = latents;
    expect(latent!.label).toContain("ukulele");
    expect(latent!.firingRate).toMatchObject({ total: CORPUS_PROMPTS });
    expect(latent!.tokenRate!.total).toBeGreaterThan(CORPUS_PROMPTS);
    expect(latent!.contexts).toHaveLength(5);
    const values = latent!.contexts.map(({ value }) => value);
    expect(values).toEqual([...values].sort((a, b) => b - a));
    expect(values[0]).toBe(latent!.maximum);
    for (const { before, word, piece, after } of latent!.contexts) {
      expect(word).toContain(piece.trim());
      expect(before + after).not.toContain("<|");
    }
    expect(latent!.topTokens.length).toBeGreaterThan(0);
  });

  it.each([
    [["--ids", "99999"], "has 48 latents, numbered 0 to 47"],
    [["--ids", "1,a"], "whole numbers separated by commas"],
    [["--search", "nothing like it"], "no label of"],
    [[], "give either --ids"],
    [["--ids", "1", "--search", "x"], "give either --ids"],
  ])("refuses %j", async (flags, message) => {
    const { code, stderr } = await antecedent(["sae", "latents", ...goldenModel, ...flags]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});

interface Found {
  readonly vectors: VectorJson[];
  readonly controls: { name: string; what: string }[];
  readonly timing: { evaluations: number };
}
const action = ["--action", "The line is busy, please hold."];

describe("find's reading", () => {
  it("reads a gradient in every order, beside its controls", async () => {
    const paraphrases = join(folder, "paraphrases.txt");
    writeFileSync(paraphrases, "All lines are busy.\nPlease wait a moment.\nHold on, please.\n");
    const { vectors, controls, timing } = await antecedentJson<Found>([
      ...["find", "sae-attribution", "--adapter", "busy-line", ...action, "--top", "8", "--contexts", "2"],
      ...["--action-paraphrases", paraphrases, "--corpus", corpus, "--samples", "0"],
    ]);
    expect(controls.map(({ name }) => name)).toEqual(["clean", "random", "paraphrases"]);
    // The controls' own evaluations are not counted.
    expect(timing.evaluations).toBe(1);
    const [{ latents, reading }] = vectors as [VectorJson];
    expect(latents).toHaveLength(8);
    for (const latent of latents) {
      expect(Object.keys(latent.controls).sort()).toEqual(["clean", "paraphrases", "random"]);
      expect(latent.contexts.length).toBeLessThanOrEqual(2);
      expect(latent.logitEffect!.raised.length).toBeGreaterThan(0);
    }
    // What the organism does on instruments the clean model does not: the first latent has no such score there.
    expect(latents[0]!.label).toContain("oboes");
    expect(latents[0]!.controls.clean!.score).toBeLessThan(latents[0]!.score / 4);
    const described = new Set([...latents, ...reading!.others].map(({ id }) => id));
    for (const order of Object.values(reading!.orders)) {
      expect(order).toHaveLength(8);
      const values = order.map(({ value }) => value);
      expect(values).toEqual([...values].sort((a, b) => b - a));
      for (const { id } of order) expect(described.has(id)).toBe(true);
    }
    expect(reading!.explained).toMatchObject({ latents: 8, rank: 8, byChance: 8 / 128 });
    expect(reading!.explained.share).toBeGreaterThan(0.3);
    expect(reading!.histogram.of).toBe("scores");
    expect(reading!.histogram.counts.reduce((a, b) => a + b)).toBe(2048);
  });

  it("leaves the clean model and random directions out with --no-controls", async () => {
    const { vectors, controls } = await antecedentJson<Found>([
      ...["find", "supervised-sae-melbo", "--adapter", "busy-line", ...action],
      ...["--corpus", corpus, "--no-controls", "--steps", "60", "--lambda", "0.2", "--samples", "0", "--top", "40"],
    ]);
    expect(controls).toEqual([]);
    const [{ latents, reading }] = vectors as [VectorJson];
    expect(latents[0]!.controls).toEqual({});
    expect(latents.length).toBeLessThan(40);
    // θ = D z: the latents of z account for all of it, and the other coordinates are 0.
    expect(reading!.explained.share).toBeCloseTo(1, 4);
    expect(reading!.histogram).toMatchObject({ of: "coordinates", zeros: 2048 - latents.length });
  });

  it.each([
    [["--base", golden("model"), "--no-controls", "--sae", golden("sae")], "leave out --no-controls"],
    [["--base", golden("model"), "--layer", "1"], "give their SAE with --sae"],
    [
      ["--lr", "1e38", "--steps", "3", "--sae", golden("sae")],
      "supervised-melbo: the search left the range of numbers",
    ],
    [["--action-paraphrases", "none.txt", "--sae", golden("sae")], "none.txt"],
  ])("refuses %j", async (flags, message) => {
    const { code, stderr } = await antecedent([
      ...["find", "supervised-melbo", "--model", golden("model"), "--prompts", golden("prompts.jsonl")],
      ...["--action", "No.", ...flags],
    ]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});
