// At what rank latents stand whose meaning is known: what the tables of recall and banana share.
import { readFileSync } from "node:fs";

/** Random directions whose rankings a method's are compared with. */
const RANDOM_DIRECTIONS = 400;

/** The prompts of a .jsonl with {"prompt": …} lines. */
export function readPrompts(file) {
  const lines = readFileSync(file, "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line).prompt);
}

/** [prompts][latents] largest activations, from what readMaxima gives. */
export function denseRows(readings, latents) {
  return readings.map(({ ids, values }) => {
    const row = new Float32Array(latents);
    ids.forEach((id, k) => {
      row[id] = values[k];
    });
    return row;
  });
}

/** Latents, the largest score first (ties by id). */
export function byScore(scores) {
  return [...scores.keys()].sort((a, b) => scores[b] - scores[a] || a - b);
}

/** Rank, from 1, of the first of `truth` in `order`; null where none is in it. */
export function rankIn(order, truth) {
  const at = order.findIndex((id) => truth.includes(id));
  return at < 0 ? null : at + 1;
}

/** The best of several ranks; null where all are. */
export function least(ranks) {
  const known = ranks.filter((rank) => rank !== null);
  return known.length === 0 ? null : Math.min(...known);
}

export function mean(list) {
  return list.reduce((a, b) => a + b, 0) / list.length;
}

/** Latents as random directions rank them by the decoder. */
export async function randomOrders(sae, dModel, random) {
  const orders = [];
  for (let i = 0; i < RANDOM_DIRECTIONS; i++) {
    const direction = Float32Array.from({ length: dModel }, () => random.normal());
    orders.push(byScore(await sae.projectDecoder(direction)));
  }
  return orders;
}

/** Median, over the random orders in groups of `count`, of the best rank in a group; null where there is no truth. */
export function medianOfBest(orders, truth, count) {
  if (truth.length === 0) return null;
  const ranks = orders.map((order) => rankIn(order, truth));
  const best = [];
  for (let i = 0; i + count <= ranks.length; i += count) best.push(Math.min(...ranks.slice(i, i + count)));
  best.sort((a, b) => a - b);
  return best[Math.floor(best.length / 2)];
}
