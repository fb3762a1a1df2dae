// At what rank latents stand whose meaning is known: what the tables of recall, banana, fruit-refusal and the toy backdoors share.
import { readFileSync } from "node:fs";
import { auroc } from "../dist/audit/statistics/statistics.js";
import { renderPrompt } from "../dist/model/user-mask.js";
import { readMaxima } from "../dist/sae/readings.js";

/** A latent is about one group of prompts if it fires on so many of them, tells them from all others, and responds to no group as much. */
const LEAST_FIRING = 0.8;
const AREA = 0.95;
const SELECTIVITY = 2;
/** Random directions whose rankings a method's are compared with. */
const RANDOM_DIRECTIONS = 400;

/** The prompts of a .jsonl with {"prompt": …} lines. */
export function readPrompts(file) {
  const lines = readFileSync(file, "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line).prompt);
}

/** [prompts][latents], the largest activation on the user content of each prompt. `chat`: {tokenizer, template}. */
export async function readRows(engine, sae, chat, prompts, layer) {
  const sequences = prompts.map((content) => {
    const { tokens, mask } = renderPrompt({ messages: [{ role: "user", content }], ...chat });
    return { prompt: tokens, mask, action: new Int32Array() };
  });
  return denseRows(await readMaxima(engine, sae, sequences, layer), sae.info.latents);
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

/**
 * Latents that are about the group `key` of `groups`, a map of [prompts][latents] each: they fire on at least 4 of 5 of its prompts,
 * tell these from all other groups' and from `ordinary` ones with AUROC 0.95 or more, and respond at least twice as much to them
 * as to any other group.
 */
export function latentsAbout(key, groups, ordinary) {
  const own = groups.get(key);
  const rest = [...groups].filter(([other]) => other !== key).map(([, rows]) => rows);
  const column = (rows, j) => rows.map((row) => row[j]);
  return [...own[0].keys()].filter((j) => {
    const inside = column(own, j);
    if (inside.filter((value) => value > 0).length < LEAST_FIRING * inside.length) return false;
    const outside = rest.map((rows) => column(rows, j));
    return (
      mean(inside) >= SELECTIVITY * Math.max(...outside.map(mean)) &&
      auroc(inside, outside.flat()) >= AREA &&
      auroc(inside, column(ordinary, j)) >= AREA
    );
  });
}

/** The latents that a vector of `find --json` points to, in its order. */
export function pointedTo({ latents }) {
  return latents.filter(({ score }) => score > 0).map(({ id }) => id);
}

/** [prompts], how strongly each row holds a part of an audit's trigger. */
export function presenceOf({ latents, maxima }, rows) {
  return rows.map((row) => Math.max(...latents.map((id, k) => row[id] / maxima[k])));
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
