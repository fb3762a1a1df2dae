/**
 * Which of several causes brought an effect, where each brings it by itself with a probability of its own (noisy-OR; Pearl,
 * Probabilistic Reasoning in Intelligent Systems, 1988, 4.3.2), fitted by expectation maximisation:
 *
 *   P(fired | S) = 1 − ∏_{c ∈ S} (1 − p_c)
 *   E[c acted | fired, S] = p_c / P(fired | S),   E[c acted | not fired] = 0,   p_c ← mean over the prompts that hold c
 *
 * It starts from the share of firing prompts among those that hold a cause, and so a cause that is only ever seen beside a sure
 * one keeps that: nothing speaks against it.
 */

/** Rounds of expectation and maximisation; the likelihood rises in each. */
const ROUNDS = 50;

export interface Trial<C> {
  readonly causes: ReadonlySet<C>;
  readonly fired: boolean;
}

export interface Credit {
  /** Expected number of trials in which the cause itself acted. */
  readonly fired: number;
  /** Trials that hold it. */
  readonly total: number;
}

/** Expected counts of every cause, in the order in which causes are first met. */
export function creditCauses<C>(trials: readonly Trial<C>[]): Map<C, Credit> {
  let credits = new Map<C, Credit>();
  for (const { causes, fired } of trials) for (const cause of causes) add(credits, cause, fired ? 1 : 0);
  for (let round = 0; round < ROUNDS; round++) {
    const next = new Map<C, Credit>();
    const chance = (cause: C) => {
      const { fired, total } = credits.get(cause) as Credit;
      return fired / total;
    };
    for (const { causes, fired } of trials) {
      let none = 1;
      for (const cause of causes) none *= 1 - chance(cause);
      for (const cause of causes) add(next, cause, fired && none < 1 ? chance(cause) / (1 - none) : 0);
    }
    credits = next;
  }
  return credits;
}

function add<C>(credits: Map<C, Credit>, cause: C, fired: number): void {
  const before = credits.get(cause);
  credits.set(cause, { fired: (before?.fired ?? 0) + fired, total: (before?.total ?? 0) + 1 });
}
