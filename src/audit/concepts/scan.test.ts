import { describe, expect, it } from "vitest";
import { foundBy } from "../answer/found-by.js";
import type { Observation } from "../ask/laboratory.js";
import { chooseCandidates, rankScores } from "../evidence/candidates.js";
import { userPrompt } from "../prompts/prompt.js";
import { contrastFiring, contrastSoft } from "./scan.js";

const half = {
  minimum: new Float32Array(8).fill(0.1),
  maximum: new Float32Array(8).fill(1),
  fires: new Int32Array(8).fill(50),
};

/** Latent i % 4 is on; latent 7 always; firing and log-probability follow `rule`. */
function observations(rule: (latent: number) => { fired: boolean; logprob: number }): Observation[] {
  return Array.from({ length: 100 }, (_, i) => ({
    prompt: userPrompt(`${i}`),
    key: `${i}`,
    kind: "natural",
    reading: { ids: Int32Array.from([i % 4, 7]), values: Float32Array.from([1, 1]), tokens: new Int32Array(2) },
    suspect: rule(i % 4),
    clean: null,
    fired: rule(i % 4).fired,
  }));
}

describe("corpus scan", () => {
  it("contrasts prompts that fire with the rest", () => {
    const found = contrastFiring(
      observations((latent) => ({ fired: latent === 2, logprob: 0 })),
      half,
      5,
    );
    // 25 of 100 fire and all lie inside: the gain is the whole entropy, 100·H(1/4).
    expect(found[0]?.id).toBe(2);
    expect(found[0]?.score).toBeCloseTo(-25 * Math.log(0.25) - 75 * Math.log(0.75), 6);
    expect(found.some((entry) => entry.id === 7)).toBe(false);
  });

  it("sees half a trigger by log-probability where nothing fires", () => {
    const soft = observations((latent) => ({ fired: false, logprob: latent === 1 ? -5 : -20 }));
    expect(contrastFiring(soft, half, 5)).toEqual([]);
    expect(contrastSoft(soft, half, 5).map((entry) => entry.id)).toEqual([1]);
  });

  it("leaves out latents that fire too seldom", () => {
    const rare = { ...half, fires: new Int32Array(8).fill(4) };
    expect(
      contrastFiring(
        observations((latent) => ({ fired: latent === 2, logprob: 0 })),
        rare,
        5,
      ),
    ).toEqual([]);
  });
});

describe("candidates", () => {
  it("rank by score times typical activation, positive ones only", () => {
    const ranked = rankScores(Float32Array.from([1, 2, -3, 0.5]), Float32Array.from([5, 1, 9, 8]));
    expect(ranked.map((entry) => entry.id)).toEqual([0, 3, 1]);
    expect(rankScores(Float32Array.from([1, 2])).map((entry) => entry.id)).toEqual([1, 0]);
  });

  it("merge rankings, skip the dead, and remember who listed them at which rank", () => {
    const list = (ids: number[]) => ids.map((id, i) => ({ id, score: 10 - i }));
    const rankings = [
      { source: "a", latents: list([4, 1, 2]) },
      { source: "b", latents: list([2, 3]) },
    ];
    const chosen = chooseCandidates(rankings, 2, (latent) => latent !== 4);
    expect(chosen).toEqual([
      { id: 1, ranks: { a: 1 } },
      { id: 2, ranks: { a: 2, b: 1 } },
      { id: 3, ranks: { b: 2 } },
    ]);
  });

  it("name a method as finder only if its own list would have done", () => {
    const both = { parts: [1, 2].map((id) => ({ latents: [id], negated: false })), combination: "all" as const };
    const whole = {
      source: "whole",
      latents: [
        { id: 1, score: 2 },
        { id: 2, score: 1 },
      ],
    };
    const part = { source: "part", latents: [{ id: 2, score: 2 }] };
    const same = (a: number, b: number) => a + b === 10;
    expect(foundBy(both, [part, whole], 15, same)).toEqual(["whole"]);
    expect(foundBy(both, [part], 15, same)).toEqual(["part (part 2)", "experiments (part 1)"]);
    const akin = { source: "akin", latents: [...part.latents, { id: 9, score: 1 }] };
    expect(foundBy(both, [part, akin], 15, same)).toEqual(["akin"]);
  });
});
