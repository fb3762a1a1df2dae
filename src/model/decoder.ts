/**
 * The decoder-only transformer, as one readable file in the order that data flows. Families differ only in
 * DecoderConfig.
 *
 * Tokens of all sequences lie one after another, "packed": N rows, no padding in any matrix product with weights. Only
 * attention pads: `slots` says which packed row fills each place of the padded [B, T] grid.
 *
 * Dimensions in comments: N packed tokens, B sequences, T padded length, S keys (past + T), D dModel, H query heads,
 * K key/value heads, G = H / K, E headDim. Q-rows are the rows whose output is wanted: all N, or only the readout rows
 * in the last block.
 */
import {
  add,
  and,
  concat,
  div,
  gatherRows,
  geluTanh,
  greater,
  lessOrEqual,
  linear,
  matmul,
  moveRows,
  mul,
  power,
  product,
  reshape,
  rmsNorm,
  rotary,
  silu,
  softmax,
  sub,
  sum,
  sumOfSquares,
  type Tensor,
  tanh,
  transpose,
  where,
} from "../graph/index.js";
import type { DecoderConfig } from "./decoder-config.js";
import { type LinearPart, linearPart, type Projection, type RowRange } from "./modules.js";

/** Weights as graph tensors, whatever stores them. Names are Hugging Face's. */
export interface Parameters {
  /** The tensor in f32, or some of its rows. */
  get(name: string, rows?: RowRange): Tensor;
  /** The same if the checkpoint has it. */
  optional(name: string, rows?: RowRange): Tensor | null;
  /** The rows of a large matrix in consecutive ranges, so that a half-precision one is never whole in f32; [undefined] for all at once. */
  rowBlocks(name: string): readonly (RowRange | undefined)[];
  /** Embedding rows of the token ids [N] in f32: [N, D]. */
  embed(name: string, ids: Tensor): Tensor;
  /** An adapter's change of a linear module ("model.layers.0.self_attn.q_proj"), or of some of its rows; null where it has none. */
  lowRank(module: string, rows?: RowRange): LowRank | null;
}

/**
 * LoRA (Hu et al. 2021): y = x (W + scale · B A)ᵀ + scale · bias, A [r, in], B [out, r], bias [out].
 * With a magnitude m [out] DoRA (Liu et al. 2024): each row of W + scale · B A is brought to the length m says.
 * Of an embedding A is [in, r], as its rows are looked up.
 */
export interface LowRank {
  readonly a: Tensor;
  readonly b: Tensor;
  readonly scale: number;
  readonly bias: Tensor | null;
  readonly magnitude: Tensor | null;
}

/** Where packed rows sit in the padded grid; int32 tensors. */
export interface Rows {
  /** [B, T]: packed row of each place, the number of rows for padding. */
  readonly slots: Tensor;
  /** [rows]: place b·T + t of each packed row. */
  readonly places: Tensor;
  /** [B, G·T] f32: position of each place in its sequence, repeated for the G heads of a group. */
  readonly positions: Tensor;
  /** Rotary tables of each of the config's ropes, [rows, pairs]. */
  readonly rotations: readonly { readonly cos: Tensor; readonly sin: Tensor }[];
}

export interface Layout {
  /** The N packed tokens. */
  readonly tokens: Rows;
  /** [B, S] f32: position of each key, past ones first; a huge number for padding. */
  readonly keyPositions: Tensor;
  /** Rotated keys and values that came before, [B, K, P, E] a layer. */
  readonly past?: (layer: number) => { key: Tensor; value: Tensor };
  /** Rows wanted at the end, [A] of N, and their own layout; blocks before the last compute all rows. */
  readonly readout?: Rows & { readonly index: Tensor; readonly back: Tensor };
}

/** A score no softmax keeps; finite, so that rows of nothing but padding stay finite too. */
const MASKED = -1e9;

/** Token ids [N] → residual stream before block 0, [N, D]. */
export function embed(config: DecoderConfig, weights: Parameters, ids: Tensor): Tensor {
  const plain = weights.embed("model.embed_tokens.weight", ids);
  const change = weights.lowRank("model.embed_tokens");
  const x = change ? add(plain, mul(linear(gatherRows(change.a, ids), change.b), change.scale)) : plain;
  return config.embeddingScale === 1 ? x : mul(x, config.embeddingScale);
}

/**
 * One block: x [N, D] → residual stream after it, [Q-rows, D], and its rotated keys and values with the past,
 * [B, K, S, E]. `last`: only the readout rows are computed.
 */
export function block(
  config: DecoderConfig,
  weights: Parameters,
  layer: number,
  x: Tensor,
  layout: Layout,
  last = false,
) {
  const at = `model.layers.${layer}`;
  const queries = last && layout.readout ? layout.readout : layout.tokens;
  const norm = (name: string, h: Tensor) => rootMeanSquareNorm(config, weights.get(`${at}.${name}.weight`), h);

  const normed = config.preNorms ? norm("input_layernorm", x) : x; // [N, D]
  const { output, key, value } = attention(config, weights, layer, normed, layout, queries);
  const attended = config.postNorms ? norm("post_attention_layernorm", output) : output; // [Q, D]
  const h = add(queries === layout.tokens ? x : selectReadout(x, layout), attended);

  const middle = config.preNorms
    ? norm(config.postNorms ? "pre_feedforward_layernorm" : "post_attention_layernorm", h)
    : h;
  const mixed = mlp(config, weights, at, middle);
  return { x: add(h, config.postNorms ? norm("post_feedforward_layernorm", mixed) : mixed), key, value };
}

function attention(
  config: DecoderConfig,
  weights: Parameters,
  layer: number,
  x: Tensor,
  layout: Layout,
  queries: Rows,
) {
  const { heads: H, kvHeads: K, headDim: E } = config;
  const G = H / K;
  const at = `model.layers.${layer}`;
  const { tokens } = layout;
  const projected = (name: Projection, rows: Tensor) => project(weights, linearPart(config, at, name), rows);
  const placed = (name: "q" | "k", h: Tensor, heads: number, rows: Rows) => {
    const normed = queryKeyNorm(config, weights, `${at}.self_attn.${name}_norm`, h, heads);
    const rope = config.layerRopes[layer] ?? null;
    return rope === null ? normed : rotary(normed, rows.rotations[rope]!.cos, rows.rotations[rope]!.sin, heads);
  };

  const q = placed("q", projected("q_proj", queries === tokens ? x : selectReadout(x, layout)), H, queries); // [Q, H·E]
  const k = placed("k", projected("k_proj", x), K, tokens); // [N, K·E]
  const v = projected("v_proj", x); // [N, K·E]

  const [B, T] = queries.slots.shape;
  const grouped = reshape(moveRows(q, queries.slots, queries.places), [B!, T!, K, G, E]);
  const query = reshape(transpose(grouped, [0, 2, 3, 1, 4]), [B!, K, `${G}*${T}`, E]);
  const past = layout.past?.(layer);
  const key = withPast(past?.key, heads(config, k, layout), layout); // [B, K, S, E]
  const value = withPast(past?.value, heads(config, v, layout), layout);

  let scores = matmul(query, key, { transB: true, alpha: config.attentionScale }); // [B, K, G·T, S]
  if (config.attentionSoftcap) scores = softcap(scores, config.attentionSoftcap);
  const visible = visibility(queries, layout, config.windows[layer] ?? null);
  const weighted = matmul(softmax(where(visible, scores, MASKED)), value); // [B, K, G·T, E]

  const merged = transpose(reshape(weighted, [B!, K, G, T!, E]), [0, 3, 1, 2, 4]);
  const packed = moveRows(reshape(merged, [`${B}*${T}`, H * E]), queries.places, reshape(queries.slots, [`${B}*${T}`]));
  return { output: projected("o_proj", packed), key, value };
}

/** Queries or keys [rows, heads · E] normed, each head by itself or all together, where the family does so. */
function queryKeyNorm(config: DecoderConfig, weights: Parameters, at: string, x: Tensor, heads: number): Tensor {
  if (!config.queryKeyNorm) return x;
  const weight = weights.get(`${at}.weight`);
  if (config.queryKeyNorm === "projection") return rootMeanSquareNorm(config, weight, x);
  const [rows, width] = x.shape;
  return reshape(rootMeanSquareNorm(config, weight, reshape(x, [rows!, heads, config.headDim])), [rows!, width!]);
}

/** Packed keys or values [N, K·E] → [B, K, T, E]. */
function heads({ kvHeads: K, headDim: E }: DecoderConfig, x: Tensor, { tokens }: Layout): Tensor {
  const [B, T] = tokens.slots.shape;
  return transpose(reshape(moveRows(x, tokens.slots, tokens.places), [B!, T!, K, E]), [0, 2, 1, 3]);
}

function withPast(past: Tensor | undefined, live: Tensor, layout: Layout): Tensor {
  return past ? concat([past, live], 2, layout.keyPositions.shape[1]!) : live;
}

/** A query sees keys at its own position and before, within the layer's window: bool [B, 1, G·T, S]. */
function visibility(queries: Rows, layout: Layout, window: number | null): Tensor {
  const made = masks.get(queries) ?? new Map<number | null, Tensor>();
  masks.set(queries, made);
  const known = made.get(window);
  if (known) return known;
  const [B, GT] = queries.positions.shape;
  const q = reshape(queries.positions, [B!, 1, GT!, 1]);
  const k = reshape(layout.keyPositions, [B!, 1, 1, layout.keyPositions.shape[1]!]);
  const causal = lessOrEqual(k, q);
  const visible = window === null ? causal : and(causal, greater(k, sub(q, window)));
  made.set(window, visible);
  return visible;
}

/** Blocks share the masks of a layout: one a window. */
const masks = new WeakMap<Rows, Map<number | null, Tensor>>();

function mlp(config: DecoderConfig, weights: Parameters, at: string, x: Tensor): Tensor {
  const activate = config.activation === "silu" ? silu : geluTanh;
  const projected = (name: Projection, rows: Tensor) => project(weights, linearPart(config, at, name), rows);
  const gate = activate(projected("gate_proj", x)); // [Q, ff]
  return projected("down_proj", mul(gate, projected("up_proj", x)));
}

/** Residual stream after the last block [A, D] → logits [A, V]. */
export function head(config: DecoderConfig, weights: Parameters, x: Tensor): Tensor {
  const logits = unembed(config, weights, rootMeanSquareNorm(config, weights.get("model.norm.weight"), x));
  return config.logitSoftcap ? softcap(logits, config.logitSoftcap) : logits;
}

/**
 * The logit lens: directions x [N, D] of the last residual stream h → W_U (w ⊙ x), [N, V], w the final norm's weight. Adding
 * ε x to h changes the logits by ε / rms(h) times that, to first order and but for the change of rms(h), which
 * scales all logits alike; a soft cap is monotone. So the order of tokens needs no h.
 */
export function logitLens(config: DecoderConfig, weights: Parameters, x: Tensor): Tensor {
  return unembed(config, weights, mul(x, normWeight(config, weights.get("model.norm.weight"))));
}

function unembed(config: DecoderConfig, weights: Parameters, x: Tensor): Tensor {
  const weight = config.tied ? "model.embed_tokens.weight" : "lm_head.weight";
  return concat(
    weights.rowBlocks(weight).map((rows) => project(weights, { module: "lm_head", weight, rows }, x)),
    1,
  );
}

/** x Wᵀ + bias with the adapter's change. */
function project(weights: Parameters, part: LinearPart, x: Tensor): Tensor {
  const { module, rows } = part;
  const weight = weights.get(part.weight ?? `${module}.weight`, rows);
  const bias = weights.optional(`${module}.bias`, rows);
  const change = weights.lowRank(module, rows);
  if (!change) return linear(x, weight, bias);
  const { a, b, scale, magnitude } = change;
  const plain = linear(x, weight, magnitude ? null : bias);
  const delta = mul(linear(linear(x, a), b, change.bias), scale);
  if (!magnitude) return add(plain, delta);
  const directed = mul(add(plain, delta), div(magnitude, rowLengths(weight, a, b, scale)));
  return bias ? add(directed, bias) : directed;
}

/**
 * Length of each row of W + s B A, [out], without making the sum:
 * ‖W‖² + 2s Σᵣ B ⊙ (W Aᵀ) + s² Σᵣ B ⊙ (B (A Aᵀ)).
 */
function rowLengths(weight: Tensor, a: Tensor, b: Tensor, scale: number): Tensor {
  const crossed = mul(b, linear(weight, a)); // [out, r]
  const squared = mul(b, product(b, linear(a, a))); // [out, r]
  const change = sum(add(mul(crossed, 2 * scale), mul(squared, scale * scale)));
  return reshape(power(add(sumOfSquares(weight), change), 0.5), [weight.shape[0]!]);
}

function selectReadout(x: Tensor, layout: Layout): Tensor {
  return moveRows(x, layout.readout!.index, layout.readout!.back);
}

function rootMeanSquareNorm(config: DecoderConfig, weight: Tensor, x: Tensor): Tensor {
  return rmsNorm(x, normWeight(config, weight), config.epsilon);
}

/** What a norm multiplies by: some families store it less 1. */
function normWeight(config: DecoderConfig, weight: Tensor): Tensor {
  return config.normPlusOne ? add(weight, 1) : weight;
}

function softcap(x: Tensor, cap: number): Tensor {
  return mul(tanh(mul(x, 1 / cap)), cap);
}
