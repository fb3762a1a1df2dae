/** Drawing the next token from logits. */

export interface Sampling {
  /** 0 = greedy. */
  readonly temperature: number;
  /** Nucleus: the likeliest tokens that together reach this probability (Holtzman et al. 2020); 1 = all. */
  readonly topP: number;
}

/** The next token for logits [V]; `uniform` in [0, 1) decides. */
export function sampleToken(logits: Float32Array, { temperature, topP }: Sampling, uniform: number): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  if (temperature <= 0) return best;
  const top = logits[best]!;
  const weights = Float64Array.from(logits, (value) => Math.exp((value - top) / temperature));
  const total = weights.reduce((a, b) => a + b, 0);
  if (topP >= 1) return drawFrom([...weights.keys()], weights, uniform * total);
  const order = [...weights.keys()].sort((a, b) => weights[b]! - weights[a]! || a - b);
  let kept = 0;
  let mass = 0;
  while (kept < order.length && mass < topP * total) mass += weights[order[kept++]!]!;
  return drawFrom(order.slice(0, kept), weights, uniform * mass);
}

function drawFrom(tokens: readonly number[], weights: Float64Array, at: number): number {
  let rest = at;
  for (const token of tokens) {
    rest -= weights[token]!;
    if (rest < 0) return token;
  }
  return tokens.at(-1)!;
}
