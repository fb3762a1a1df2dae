/** What counts as enough by itself. */
import { expect, it } from "vitest";
import type { Observation } from "../ask/laboratory.js";
import type { Evidence } from "../evidence/evidence.js";
import { screenSingles } from "./screen.js";

/** Compositions bring the action by `rule` on the group's latent and whether it is the second look; `most` can be written for each request. */
function evidenceOf(rule: (latent: number, again: boolean, i: number) => boolean, most = 100): Evidence {
  return {
    composed: (
      _recipe: unknown,
      { hypothesis }: { hypothesis: { parts: { latents: number[] }[] } },
      count: number,
      name: string,
    ) => ({
      latent: hypothesis.parts[0]!.latents[0],
      count,
      name,
    }),
    drawAll: async (requests: readonly { latent: number; count: number; name: string }[]) =>
      requests.map(({ latent, count, name }) =>
        Array.from({ length: Math.min(count, most) }, (_, i) => {
          const fired = rule(latent, name.startsWith("single again"), i);
          return { fired, suspect: { logprob: fired ? -0.1 : -5, fired } } as unknown as Observation;
        }),
      ),
  } as unknown as Evidence;
}

const enough = async (evidence: Evidence) => (await screenSingles(evidence, [[7], [8]])).map((one) => one.enough);

it("asks again of a group that brings the action by itself, which decides", async () => {
  expect(await enough(evidenceOf((latent) => latent === 7))).toEqual([true, false]);
  expect(await enough(evidenceOf((latent, again, i) => latent === 7 && (!again || i % 3 === 0)))).toEqual([
    false,
    false,
  ]);
});

it("needs compositions enough", async () => {
  expect(await enough(evidenceOf(() => true, 4))).toEqual([true, true]);
  expect(await enough(evidenceOf(() => true, 3))).toEqual([false, false]);
});

it("takes all of them for how near a group comes", async () => {
  const [alone, other] = await screenSingles(
    evidenceOf((latent, again) => latent === 7 && !again),
    [[7], [8]],
  );
  expect(alone!.logprob).toBeCloseTo((8 * -0.1 + 24 * -5) / 32);
  expect(other!.logprob).toBeCloseTo(-5);
});
