/**
 * Packs sequences into one list of rows and says where each row sits in the padded grid of attention
 * (see model/decoder.ts: Rows, Layout).
 */
import { type Graph, gatherRows, type Tensor } from "../../graph/index.js";
import type { Layout, Rows } from "../../model/decoder.js";
import type { DecoderConfig } from "../../model/decoder-config.js";
import { ropeTables } from "../../model/rope.js";
import type { Sequence } from "../../model/sequence.js";
import type { TensorData } from "../runtime.js";

/** One sequence's part of a batch. */
export interface Strip {
  /** Token ids computed now. */
  readonly ids: Int32Array;
  /** Position of the first of them: how many tokens came before. */
  readonly start: number;
  /** Indices into `ids` whose output is wanted; all where missing. */
  readonly readout?: Int32Array;
}

/** Position of a padding key: no query ever reaches it. */
const NEVER = 1e9;

/** Graph inputs of a layout. `past`: keys and values of this many earlier positions are fed for each layer. */
export function layoutInputs(
  graph: Graph,
  config: DecoderConfig,
  options: { past?: boolean; readout?: boolean } = {},
): Layout {
  const { past = false, readout = false } = options;
  const keys = past ? "P+T" : "T";
  const tokens = rowInputs(graph, config, "", "N", "T");
  const keyPositions = graph.input("keyPositions", "float32", ["B", keys]);
  // Past keys and values come once for each distinct prefix, [U, K, P, E]; `pastRow` says which is a sequence's own.
  const pastRow = past ? graph.input("pastRow", "int32", ["B"]) : null;
  const cache = new Map<number, { key: Tensor; value: Tensor }>();
  const pastOf = (layer: number) => {
    const known = cache.get(layer);
    if (known) return known;
    const fed = (name: string) =>
      gatherRows(graph.input(name, "float32", ["U", config.kvHeads, "P", config.headDim]), pastRow!);
    const made = { key: fed(`pastKey${layer}`), value: fed(`pastValue${layer}`) };
    cache.set(layer, made);
    return made;
  };
  return {
    tokens,
    keyPositions,
    ...(past ? { past: pastOf } : {}),
    ...(readout
      ? {
          readout: {
            ...rowInputs(graph, config, "readout.", "A", "TA"),
            index: graph.input("readout.index", "int32", ["A"]),
            back: graph.input("readout.back", "int32", ["N"]),
          },
        }
      : {}),
  };
}

function rowInputs(graph: Graph, config: DecoderConfig, prefix: string, rows: string, length: string): Rows {
  return {
    slots: graph.input(`${prefix}slots`, "int32", ["B", length]),
    places: graph.input(`${prefix}places`, "int32", [rows]),
    positions: graph.input(`${prefix}positions`, "float32", ["B", `${config.heads / config.kvHeads}*${length}`]),
    rotations: config.ropes.map(({ frequencies }, i) => ({
      cos: graph.input(`${prefix}cos${i}`, "float32", [rows, frequencies.length]),
      sin: graph.input(`${prefix}sin${i}`, "float32", [rows, frequencies.length]),
    })),
  };
}

/** Feeds for `layoutInputs`. `pastPositions` [B][P]: positions of the fed past keys, NEVER for padding. */
export function layoutFeeds(
  config: DecoderConfig,
  strips: readonly Strip[],
  pastPositions?: readonly Float32Array[],
): Record<string, TensorData> {
  const all = strips.map(({ ids }) => Int32Array.from(ids.keys()));
  const feeds = rowFeeds(config, strips, all, "");
  const length = Math.max(...strips.map(({ ids }) => ids.length));
  const before = pastPositions?.[0]?.length ?? 0;
  const keyPositions = new Float32Array(strips.length * (before + length)).fill(NEVER);
  strips.forEach(({ ids, start }, b) => {
    const row = b * (before + length);
    if (pastPositions) keyPositions.set(pastPositions[b]!, row);
    for (let t = 0; t < ids.length; t++) keyPositions[row + before + t] = start + t;
  });
  feeds.ids = int32(concatenate(strips.map(({ ids }) => ids)), [rowCount(strips)]);
  feeds.keyPositions = float32(keyPositions, [strips.length, before + length]);
  if (strips.some(({ readout }) => readout)) Object.assign(feeds, readoutFeeds(config, strips));
  return feeds;
}

function readoutFeeds(config: DecoderConfig, strips: readonly Strip[]): Record<string, TensorData> {
  const wanted = strips.map(({ ids, readout }) => readout ?? Int32Array.from(ids.keys()));
  const feeds = rowFeeds(config, strips, wanted, "readout.");
  const rows = rowCount(strips);
  const total = wanted.reduce((sum, { length }) => sum + length, 0);
  const index = new Int32Array(total);
  const back = new Int32Array(rows).fill(total);
  let row = 0;
  let at = 0;
  strips.forEach(({ ids }, b) => {
    for (const token of wanted[b]!) {
      index[at] = row + token;
      back[row + token] = at++;
    }
    row += ids.length;
  });
  feeds["readout.index"] = int32(index, [total]);
  feeds["readout.back"] = int32(back, [rows]);
  return feeds;
}

function rowFeeds(
  config: DecoderConfig,
  strips: readonly Strip[],
  wanted: readonly Int32Array[],
  prefix: string,
): Record<string, TensorData> {
  const group = config.heads / config.kvHeads;
  const length = Math.max(...wanted.map((tokens) => tokens.length));
  const total = wanted.reduce((sum, tokens) => sum + tokens.length, 0);
  const slots = new Int32Array(strips.length * length).fill(total);
  const places = new Int32Array(total);
  const rowPositions = new Int32Array(total);
  const positions = new Float32Array(strips.length * group * length);
  let row = 0;
  wanted.forEach((tokens, b) => {
    tokens.forEach((token, t) => {
      const place = b * length + t;
      slots[place] = row;
      places[row] = place;
      const position = strips[b]!.start + token;
      rowPositions[row] = position;
      for (let g = 0; g < group; g++) positions[(b * group + g) * length + t] = position;
      row++;
    });
  });
  const feeds: Record<string, TensorData> = {
    [`${prefix}slots`]: int32(slots, [strips.length, length]),
    [`${prefix}places`]: int32(places, [total]),
    [`${prefix}positions`]: float32(positions, [strips.length, group * length]),
  };
  config.ropes.forEach((rope, i) => {
    const { cos, sin } = ropeTables(rope, rowPositions);
    feeds[`${prefix}cos${i}`] = float32(cos, [total, rope.frequencies.length]);
    feeds[`${prefix}sin${i}`] = float32(sin, [total, rope.frequencies.length]);
  });
  return feeds;
}

/** Positions of past keys for `layoutFeeds`: 0 … start − 1, padded to the longest. */
export function pastPositions(strips: readonly Strip[]): Float32Array[] {
  const longest = Math.max(...strips.map(({ start }) => start));
  return strips.map(({ start }) => Float32Array.from({ length: longest }, (_, i) => (i < start ? i : NEVER)));
}

export function rowCount(strips: readonly Strip[]): number {
  return strips.reduce((sum, { ids }) => sum + ids.length, 0);
}

export function int32(data: Int32Array, dims: readonly number[]): TensorData {
  return { type: "int32", data, dims };
}

export function float32(data: Float32Array, dims: readonly number[]): TensorData {
  return { type: "float32", data, dims };
}

function concatenate(parts: readonly Int32Array[]): Int32Array {
  const whole = new Int32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The prompt and the action but for its last token; the rows that predict the action's tokens are read out. */
export function teacherForced({ prompt, action }: Sequence): Strip {
  const ids = new Int32Array(prompt.length + action.length - 1);
  ids.set(prompt);
  ids.set(action.subarray(0, -1), prompt.length);
  return { ids, start: 0, readout: Int32Array.from(action, (_, j) => prompt.length - 1 + j) };
}

/** Action tokens of all sequences, one after another. */
export function joinActions(sequences: readonly Sequence[]): Int32Array {
  return Int32Array.from(sequences.flatMap(({ action }) => [...action]));
}
