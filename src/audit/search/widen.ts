/**
 * Widening: a part is every latent whose own words do what the part does. The fit adds a latent only where that explains
 * enough of what happened to be tried, so that a concept which the SAE has split keeps its largest piece alone, and words
 * under the others go unseen. Steps, for each positive part:
 *   1. Among everything tried, prompts that hold the rest of the hypothesis and read this part as absent: latents under which
 *      the action nevertheless came, mostly, the surest first.
 *   2. Other pieces of the part's concept: latents that fire with it most often, as far as `kinship.ts` calls them the same.
 *   3. Latents under other words that bring the action in the part's place (`substitutes.ts`).
 *   4. Each is put to the test of `members.ts`: alone in the part's place, on fresh compositions with words of its own.
 */

import { DEFAULT_LEVELS } from "../compose/prompt-sets.js";
import { type Hypothesis, makePart, normalise, type Part, withPart } from "../concepts/detector.js";
import { prominence } from "../concepts/ranges.js";
import type { Evidence } from "../evidence/evidence.js";
import { wilson } from "../statistics/statistics.js";
import { Tally } from "../statistics/tally.js";
import { belongs, creditedMembers, tryMembers } from "./members.js";
import { substitutes } from "./substitutes.js";

/** Prompts on which a latent must have been seen in the part's place. */
const LEAST_SEEN = 4;
/** … and the share of them on which the action came. */
const LEAST_RATE = 0.5;
/** Latents tried for each part, of either sort. */
const TRIED = 4;
/** Latents looked at for kinship: those that fire most often with the part. */
const COMPANIONS = 24;

/** The hypothesis with its parts widened; `alive`: latents that may join. */
export async function widen(
  evidence: Evidence,
  hypothesis: Hypothesis,
  alive: (latent: number) => boolean,
): Promise<Hypothesis> {
  if (hypothesis.combination === "any") return hypothesis;
  let widened = hypothesis;
  for (const [at, part] of hypothesis.parts.entries()) {
    if (part.negated) continue;
    const candidates = [
      ...standIns(evidence, hypothesis, at, alive),
      ...pieces(evidence, hypothesis, at, alive),
      ...(await substitutes(evidence, hypothesis, at, alive)).slice(0, TRIED),
    ];
    for (const latent of new Set(candidates)) {
      // It may have joined an earlier part meanwhile.
      if (widened.parts.some(({ latents }) => latents.includes(latent))) continue;
      const tried = withPart(hypothesis, at, makePart([...part.latents, latent]));
      const members = await tryMembers(evidence, tried, at);
      const joining = members.findIndex((member) => member.latent === latent);
      if (!belongs(evidence.room.kinship, members, joining)) continue;
      widened = withPart(widened, at, makePart([...(widened.parts[at] as Part).latents, latent]));
    }
    widened = withPart(widened, at, creditedMembers(evidence, widened, at));
  }
  return normalise(widened.parts);
}

/** Latents that stood in for a part, the surest first (ties by id). */
function standIns(
  evidence: Evidence,
  hypothesis: Hypothesis,
  at: number,
  alive: (latent: number) => boolean,
): number[] {
  const { ranges } = evidence.room;
  const used = new Set(hypothesis.parts.flatMap((part) => part.latents));
  const seen = new Tally<number>();
  for (const { reading, fired } of evidence.observations) {
    const holdsRest = hypothesis.parts.every((part, i) => {
      const there = prominence(reading, part, ranges);
      return i === at || part.negated ? there < DEFAULT_LEVELS.absent : there >= DEFAULT_LEVELS.present;
    });
    if (!holdsRest) continue;
    for (const id of reading.ids) {
      if (used.has(id) || prominence(reading, makePart([id]), ranges) < DEFAULT_LEVELS.present) continue;
      seen.add(id, fired);
    }
  }
  return seen
    .entries()
    .filter(([id, { total, fired }]) => total >= LEAST_SEEN && fired >= LEAST_RATE * total && alive(id))
    .map(([id, { total, fired }]) => ({ id, low: wilson(fired, total, 1).low }))
    .sort((a, b) => b.low - a.low || a.id - b.id)
    .slice(0, TRIED)
    .map(({ id }) => id);
}

/** Latents of the part's own concept, those that fire with it most often first (ties by id). */
function pieces(evidence: Evidence, hypothesis: Hypothesis, at: number, alive: (latent: number) => boolean): number[] {
  const { ranges, kinship } = evidence.room;
  const part = hypothesis.parts[at] as Part;
  const used = new Set(hypothesis.parts.flatMap(({ latents }) => latents));
  const together = new Map<number, number>();
  for (const { reading } of evidence.observations) {
    if (prominence(reading, part, ranges) < DEFAULT_LEVELS.present) continue;
    for (const id of reading.ids) if (!used.has(id)) together.set(id, (together.get(id) ?? 0) + 1);
  }
  return [...together]
    .filter(([id]) => alive(id))
    .sort((a, b) => b[1] - a[1] || a[0] - b[0])
    .slice(0, COMPANIONS)
    .map(([id]) => id)
    .filter((id) => part.latents.some((member) => kinship.same(member, id)))
    .slice(0, TRIED);
}
