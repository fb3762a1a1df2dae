/** Expected numbers worked out on paper, for a model whose loss at a token is the square of what is missing of its row. */
import { describe, expect, it } from "vitest";
import type { Engine, Splice } from "../engine/engine.js";
import type { Sequence } from "../model/sequence.js";
import { modelQuality } from "./model-quality.js";
import type { Sae } from "./sae.js";

/** Row of a token: [id, 1]. */
const row = (id: number) => [id, 1];

/** −log p after token t is 1 + ‖row − what stands there‖². */
const engine = {
  async residuals(sequences: readonly Sequence[]) {
    return sequences.map(({ prompt, mask }) => {
      const tokens = [...prompt.keys()].filter((t) => mask[t] === 1);
      return { tokens: Int32Array.from(tokens), values: Float32Array.from(tokens.flatMap((t) => row(prompt[t]!))) };
    });
  },
  async textLogprobs(sequences: readonly Sequence[], { splice }: { splice?: Splice } = {}) {
    return sequences.map(({ prompt }, i) =>
      Float32Array.from({ length: prompt.length - 1 }, (_, t) => {
        const r = splice?.rows[i]?.tokens.indexOf(t) ?? -1;
        if (r < 0) return -1;
        const stands = splice!.rows[i]!.values.subarray(2 * r, 2 * r + 2);
        return -1 - row(prompt[t]!).reduce((sum, x, k) => sum + (x - stands[k]!) ** 2, 0);
      }),
    );
  },
} as unknown as Engine;

/** Gives back the first number less 1, and the second as it is; latent 0 fires on every row, latent 1 on those above 4. */
const sae = {
  info: { dModel: 2, latents: 3 },
  async reconstruct(rows: Float32Array) {
    const ids: number[] = [];
    const rowStart = [0];
    for (let at = 0; at < rows.length; at += 2) {
      ids.push(...(rows[at]! > 4 ? [0, 1] : [0]));
      rowStart.push(ids.length);
    }
    const latents = {
      rowStart: Int32Array.from(rowStart),
      ids: Int32Array.from(ids),
      values: new Float32Array(ids.length).fill(1),
    };
    return { latents, rows: rows.map((x, i) => (i % 2 === 0 ? x - 1 : x)) };
  },
} as unknown as Sae;

const sequence = (prompt: number[], mask: number[]): Sequence => ({
  prompt: Int32Array.from(prompt),
  mask: Uint8Array.from(mask),
  action: new Int32Array(0),
});

describe("the quality of an SAE in its model", () => {
  it("is explained variance, sparsity and the loss recovered", async () => {
    // Read: 2 and 6 of the first prompt, 4 of the second, after which nothing comes.
    const seen: [number, number][] = [];
    const quality = await modelQuality(
      engine,
      sae,
      [sequence([9, 2, 6, 9], [0, 1, 1, 0]), sequence([8, 4], [0, 1])],
      1,
      {
        onProgress: (done, total) => seen.push([done, total]),
      },
    );
    // Rows 2, 6, 4: mean [4, 1], variance 8, each off by 1.
    expect(quality).toMatchObject({ rows: 3, dead: 1, tokens: 2, l0: 4 / 3, explainedVariance: 1 - 3 / 8 });
    // Zeros: (2² + 1 + 6² + 1) / 2 = 21 more; mean row: (2² + 2²) / 2 = 4 more; the reconstruction: 1 more.
    expect(quality.loss).toEqual({ original: 1, reconstructed: 2, zero: 22, mean: 5 });
    expect(quality.lossRecovered).toBeCloseTo(1 - 1 / 21, 12);
    expect(quality.lossRecoveredFromMean).toBeCloseTo(1 - 1 / 4, 12);
    expect(seen.at(-1)).toEqual([2, 2]);
  });

  it("has no loss where nothing comes after a token that is read", async () => {
    const quality = await modelQuality(engine, sae, [sequence([8, 4], [0, 1]), sequence([5], [1])], 1);
    expect(quality).toMatchObject({ rows: 2, tokens: 0, loss: null, lossRecovered: null, lossRecoveredFromMean: null });
  });
});
