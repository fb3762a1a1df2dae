/**
 * One concept or several? A trigger that one part of several latents describes may be one concept that the SAE has split,
 * or alternatives ("fruit or chess"). Latents are one concept when their decoder rows point the same way, or when they
 * fire together much more often than chance: people name two fruits in one sentence more often than a fruit and a pawn.
 */
import { type Hypothesis, makePart, normalise, type Part } from "../concepts/detector.js";
import type { Kinship } from "../concepts/kinship.js";

/** Cosine of decoder rows from which two latents are one concept; unrelated rows of a wide SAE lie below 0.2. */
const SAME_DIRECTION = 0.25;
/** Splits the one positive part of a hypothesis into alternatives; other hypotheses are returned as they are. */
export async function splitAlternatives(
  hypothesis: Hypothesis,
  kinship: Kinship,
  decoderRow: (latent: number) => Promise<Float32Array>,
): Promise<Hypothesis> {
  const [part] = hypothesis.parts;
  if (part === undefined || hypothesis.parts.length > 1 || part.negated || part.latents.length < 2) return hypothesis;
  const { latents } = part;
  const rows = await Promise.all(latents.map(decoderRow));
  const together = (a: number, b: number) =>
    cosine(rows[a] as Float32Array, rows[b] as Float32Array) >= SAME_DIRECTION ||
    kinship.kin(latents[a] as number, latents[b] as number);
  const groups = groupsOf([...latents.keys()], together);
  const parts: Part[] = groups.map((group) => makePart(group.map((member) => latents[member] as number)));
  return normalise(parts, parts.length > 1);
}

/** Items that belong together, directly or by way of others. */
export function groupsOf<T>(items: readonly T[], together: (a: T, b: T) => boolean): T[][] {
  const groups: T[][] = [];
  for (const item of items) {
    const homes = groups.filter((group) => group.some((member) => together(member, item)));
    const merged = [...homes.flat(), item];
    for (const home of homes) groups.splice(groups.indexOf(home), 1);
    groups.push(merged);
  }
  return groups;
}

function cosine(a: Float32Array, b: Float32Array): number {
  let dot = 0;
  let normA = 0;
  let normB = 0;
  for (let i = 0; i < a.length; i++) {
    dot += (a[i] as number) * (b[i] as number);
    normA += (a[i] as number) ** 2;
    normB += (b[i] as number) ** 2;
  }
  return normA === 0 || normB === 0 ? 0 : dot / Math.sqrt(normA * normB);
}
