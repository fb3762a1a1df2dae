/** The linear layers of a block as the checkpoint stores them, and which of their rows are whose. */
import type { DecoderConfig } from "./decoder-config.js";

/** What a block projects with. */
export type Projection = "q_proj" | "k_proj" | "v_proj" | "o_proj" | "gate_proj" | "up_proj" | "down_proj";

/** Consecutive rows of a matrix: [from, from + count). */
export interface RowRange {
  readonly from: number;
  readonly count: number;
}

/** A linear module, or the rows of a fused one that are a projection. */
export interface LinearPart {
  readonly module: string;
  /** The weight's name where it is not the module's own (a tied head). */
  readonly weight?: string;
  readonly rows?: RowRange | undefined;
}

/** A module's name within its block, and its weight's shape [out, width]. */
export interface BlockModule {
  readonly module: string;
  readonly out: number;
  readonly width: number;
}

/** The linear modules of a block in the order that data flows. */
export function blockModules(config: DecoderConfig): readonly BlockModule[] {
  const { dModel, heads, headDim, ff } = config;
  const { queries, keys } = widths(config);
  const first = config.fused
    ? [{ module: "self_attn.qkv_proj", out: queries + 2 * keys, width: dModel }]
    : [
        { module: "self_attn.q_proj", out: queries, width: dModel },
        { module: "self_attn.k_proj", out: keys, width: dModel },
        { module: "self_attn.v_proj", out: keys, width: dModel },
      ];
  const second = config.fused
    ? [{ module: "mlp.gate_up_proj", out: 2 * ff, width: dModel }]
    : [
        { module: "mlp.gate_proj", out: ff, width: dModel },
        { module: "mlp.up_proj", out: ff, width: dModel },
      ];
  return [
    ...first,
    { module: "self_attn.o_proj", out: dModel, width: heads * headDim },
    ...second,
    { module: "mlp.down_proj", out: dModel, width: ff },
  ];
}

/** Full names of the linear modules of blocks [from, layers). */
export function linearModules(config: DecoderConfig, from: number): string[] {
  return Array.from({ length: config.layers - from }, (_, i) =>
    blockModules(config).map(({ module }) => `model.layers.${from + i}.${module}`),
  ).flat();
}

/** Where projection `name` of the block called `at` ("model.layers.0") lies. */
export function linearPart(config: DecoderConfig, at: string, name: Projection): LinearPart {
  const attention = name === "q_proj" || name === "k_proj" || name === "v_proj" || name === "o_proj";
  const whole = { module: `${at}.${attention ? "self_attn" : "mlp"}.${name}` };
  if (!config.fused || name === "o_proj" || name === "down_proj") return whole;
  const { queries, keys } = widths(config);
  const { ff } = config;
  const rows = {
    q_proj: { from: 0, count: queries },
    k_proj: { from: queries, count: keys },
    v_proj: { from: queries + keys, count: keys },
    gate_proj: { from: 0, count: ff },
    up_proj: { from: ff, count: ff },
  }[name];
  return { module: attention ? `${at}.self_attn.qkv_proj` : `${at}.mlp.gate_up_proj`, rows };
}

function widths({ heads, kvHeads, headDim }: DecoderConfig) {
  return { queries: heads * headDim, keys: kvHeads * headDim };
}
