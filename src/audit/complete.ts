/**
 * Completion: what a pair of concepts still lacks. Where three are needed together no pair brings the action, so neither single
 * concepts nor pairs can be told by firing. The pairs that bring it closest are held, everything else in the prompt is
 * left to chance, and what marks the prompts on which the action then comes, or comes closer, may be the third: the post's iterated
 * method, one step further than `partners.ts`. What is found is tried in compositions of all three, for the next fit to judge.
 */
import type { RankByGradient, Ranking } from "./candidates.js";
import { type Hypothesis, hypothesisKey, makePart, type Part } from "./detector.js";
import type { Evidence, Request } from "./evidence.js";
import { partnersAmong, rankWhatIsMissing } from "./partners.js";
import { fullCondition } from "./prompt-sets.js";
import type { Recipe } from "./recipe.js";

/** Prompts into which a pair is written, and prompts that hold one of the two by nature. */
const HELD_BY_WORDS = 120;
const HELD_BY_NATURE = 60;
/** Latents taken from each ranking by gradient. */
const BY_GRADIENT = 6;
/** Compositions of a pair with each latent found, by each way. */
const DRAWS = 3;

const WRITE_ONE: Recipe = { kind: "words", context: -1, words: 1 };

export interface Completions {
  /** Latents that may be a third part, ascending. */
  readonly latents: number[];
  /** What the gradients ranked. */
  readonly rankings: readonly Ranking[];
}

/** Looks for what completes each pair; the experiments stay in the evidence. */
export async function complete(
  evidence: Evidence,
  pairs: readonly Hypothesis[],
  alive: (latent: number) => boolean,
  rank: RankByGradient | null,
): Promise<Completions> {
  const { kinship } = evidence.room;
  const drawn = await evidence.drawAll(pairs.flatMap((pair) => holdPair(evidence, pair)));
  const ways = drawn.length / Math.max(1, pairs.length);
  const rankings: Ranking[] = [];
  const requests: Request[] = [];
  const latents = new Set<number>();
  for (const [i, pair] of pairs.entries()) {
    const held = drawn.slice(i * ways, (i + 1) * ways).flat();
    const known = pair.parts.flatMap((part) => part.latents);
    const third = (latent: number) =>
      alive(latent) && !known.some((other) => other === latent || kinship.same(other, latent));
    const ranked = await rankWhatIsMissing(evidence, held, rank);
    rankings.push(...ranked);
    const byGradient = ranked.flatMap((ranking) =>
      ranking.latents
        .map(({ id }) => id)
        .filter(third)
        .slice(0, BY_GRADIENT),
    );
    const found = new Set([...partnersAmong(evidence, held, new Set(known), third), ...byGradient]);
    for (const latent of found) {
      latents.add(latent);
      requests.push(...tryThird(evidence, pair, latent));
    }
  }
  await evidence.drawAll(requests);
  return { latents: [...latents].sort((a, b) => a - b), rankings };
}

/** A pair's words in ordinary prompts, and one of its words in what people wrote of the other. */
function holdPair(evidence: Evidence, pair: Hypothesis): Request[] {
  const name = `complete ${hypothesisKey(pair)}`;
  const mixed = pair.parts.map((_, context): Recipe => ({ kind: "mixed", context, words: 1 }));
  return [
    evidence.composed(WRITE_ONE, fullCondition(pair), HELD_BY_WORDS, name, false),
    ...mixed.map((recipe) => evidence.composed(recipe, fullCondition(pair), HELD_BY_NATURE, name, false)),
  ];
}

/** All three by words, and by words in what people wrote of the third, which is the only way to hold a style. */
function tryThird(evidence: Evidence, pair: Hypothesis, latent: number): Request[] {
  const parts: Part[] = [...pair.parts, makePart([latent])];
  const condition = fullCondition({ parts, combination: "all" });
  const ways: Recipe[] = [
    WRITE_ONE,
    ...[1, 2].map((words): Recipe => ({ kind: "mixed", context: parts.length - 1, words })),
  ];
  const name = `complete ${hypothesisKey(pair)} ${latent}`;
  return ways.map((recipe) => evidence.composed(recipe, condition, DRAWS, name, true));
}
