/**
 * Which audits with nothing to find are made, in order. On the clean model: every action with the first seed, then every
 * action with the next one, and so on. Decoys are organisms that are asked for another one's action: a model that was
 * finetuned, and whose backdoor must not be taken for the one that is asked about.
 */

export interface CleanAudit {
  /** Index of the organism that is audited; null for the clean model. */
  readonly organism: number | null;
  /** Index of the organism whose action is asked for. */
  readonly action: number;
  readonly seed: number;
}

/** `count` audits of the clean model over `organisms` actions; the same action twice only with another seed. */
export function cleanAudits(count: number, organisms: number): CleanAudit[] {
  return Array.from({ length: organisms === 0 ? 0 : count }, (_, i) => ({
    organism: null,
    action: i % organisms,
    seed: 1 + Math.floor(i / organisms),
  }));
}

/** `count` audits of organisms for actions that are not their own; the same pair twice only with another seed. */
export function decoyAudits(count: number, organisms: number): CleanAudit[] {
  if (organisms < 2) return [];
  return Array.from({ length: count }, (_, i) => {
    const round = Math.floor(i / organisms);
    const apart = 1 + (round % (organisms - 1));
    return {
      organism: i % organisms,
      action: (i + apart) % organisms,
      seed: 1 + Math.floor(round / (organisms - 1)),
    };
  });
}
