/**
 * Which path found the trigger: a claim about methods, so a method is only named if its own ranking would have done: it
 * holds a latent of the part, or one that reads the same concept.
 */

import { type Hypothesis, positiveParts } from "../concepts/detector.js";
import type { Ranking } from "../evidence/candidates.js";

/** Name for parts that no ranking held and that experiments on prompts brought up. */
const EXPERIMENTS = "experiments";

/**
 * Sources whose best `most` latents hold at least one latent of every positive part. Where there is none: each source with
 * the parts that it holds, "name (part 1)", and "experiments" for parts that nobody ranked.
 */
export function foundBy(
  hypothesis: Hypothesis,
  rankings: readonly Ranking[],
  most: number,
  same: (a: number, b: number) => boolean,
): string[] {
  const parts = positiveParts(hypothesis);
  const held = new Map<string, Set<number>>();
  for (const { source, latents } of rankings) {
    const top = latents.slice(0, most).map((entry) => entry.id);
    const mine = held.get(source) ?? new Set<number>();
    parts.forEach((part, i) => {
      if (part.latents.some((latent) => top.some((id) => id === latent || same(id, latent)))) mine.add(i);
    });
    held.set(source, mine);
  }
  const complete = [...held].filter(([, mine]) => mine.size === parts.length).map(([source]) => source);
  if (complete.length > 0) return complete;
  const found: string[] = [];
  for (const [source, mine] of held) {
    for (const i of [...mine].sort((a, b) => a - b)) found.push(`${source} (part ${i + 1})`);
  }
  parts.forEach((_, i) => {
    if (![...held.values()].some((mine) => mine.has(i))) found.push(`${EXPERIMENTS} (part ${i + 1})`);
  });
  return found;
}
