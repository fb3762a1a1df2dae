/**
 * From the rope parameters of a config.json to frequencies. A scaling is one function and one line of SCALINGS; all
 * start from the plain frequencies θ^(−2i/d) of the d rotated values of a head (Su et al. 2021).
 */
import { z } from "zod";
import { entryOf, InputError, quote } from "../formats/input-error.js";
import type { RopeConfig } from "./rope.js";

/** Bases of the rotary embedding: 10,000 to 5e8 in real models. */
export const THETA = z.number().gt(1).max(1e12);
/** A head has at most this many pairs; real ones have 128. */
const MAX_PAIRS = 1 << 12;
const divisors = z.array(z.number().positive()).max(MAX_PAIRS).nullish();

export const ropeShape = z
  .object({
    rope_type: z.string().nullish(),
    type: z.string().nullish(),
    rope_theta: THETA.nullish(),
    partial_rotary_factor: z.number().positive().max(1).nullish(),
    factor: z.number().positive().nullish(),
    low_freq_factor: z.number().positive().nullish(),
    high_freq_factor: z.number().positive().nullish(),
    original_max_position_embeddings: z.number().min(2).nullish(),
    attention_factor: z.number().positive().nullish(),
    beta_fast: z.number().positive().nullish(),
    beta_slow: z.number().positive().nullish(),
    mscale: z.number().nonnegative().nullish(),
    mscale_all_dim: z.number().nonnegative().nullish(),
    truncate: z.boolean().nullish(),
    short_factor: divisors,
    long_factor: divisors,
  })
  .loose();

type RopeJson = z.infer<typeof ropeShape>;

export interface RopeOptions {
  /** Base where the parameters have none. */
  readonly theta: number;
  /** Size of a head. */
  readonly headDim: number;
  /** Share of a head that is rotated; 1 for all of it. */
  readonly rotated?: number;
  /** max_position_embeddings. */
  readonly context: number;
  /** Names the config file in messages. */
  readonly file: string;
}

/** What a scaling changes in the plain frequencies. */
type Scaling = (json: RopeJson, plain: RopeConfig, options: RopeOptions) => Partial<RopeConfig>;

const linear: Scaling = (json, { frequencies }, { file }) => {
  const { factor } = required(json, ["factor"], "linear", file);
  return { frequencies: frequencies.map((frequency) => frequency / factor) };
};

/**
 * llama3 (Llama 3.1 model card): wavelengths longer than original/low are stretched by `factor`, those shorter than
 * original/high are kept, between them the two are blended.
 */
const llama3: Scaling = (json, { frequencies }, { file, context }) => {
  const given = required(json, ["factor", "low_freq_factor", "high_freq_factor"], "llama3", file);
  const { factor, low_freq_factor: low, high_freq_factor: high } = given;
  const original = json.original_max_position_embeddings ?? context;
  if (low >= high)
    throw new InputError(`${file}: llama3 rope: low_freq_factor ${low} must be below high_freq_factor ${high}`);
  return {
    frequencies: frequencies.map((frequency) => {
      const wavelength = (2 * Math.PI) / frequency;
      if (wavelength < original / high) return frequency;
      if (wavelength > original / low) return frequency / factor;
      const smooth = (original / wavelength - low) / (high - low);
      return ((1 - smooth) * frequency) / factor + smooth * frequency;
    }),
  };
};

/**
 * yarn (Peng et al. 2023, "NTK-by-parts"): pairs that turn more than `beta_fast` times in the original context are kept,
 * those that turn less than `beta_slow` times are stretched by `factor`, a ramp over the pairs' numbers blends between.
 */
const yarn: Scaling = (json, { theta, frequencies }, { file, context }) => {
  const original = json.original_max_position_embeddings ?? context;
  const { factor } = required(json, ["factor"], "yarn", file);
  const dimensions = 2 * frequencies.length;
  const pairAt = (turns: number) => (dimensions * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const whole = json.truncate ?? true;
  const fast = pairAt(json.beta_fast || 32);
  const slow = pairAt(json.beta_slow || 1);
  const low = Math.max(whole ? Math.floor(fast) : fast, 0);
  const end = Math.min(whole ? Math.ceil(slow) : slow, dimensions - 1);
  const high = low === end ? end + 0.001 : end; // as transformers avoids the division by zero
  const magnitude = (scale = 1) => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1);
  const { mscale, mscale_all_dim: mscaleAll } = json;
  return {
    amplitude: json.attention_factor ?? (mscale && mscaleAll ? magnitude(mscale) / magnitude(mscaleAll) : magnitude()),
    frequencies: frequencies.map((frequency, i) => {
      const stretched = Math.min(1, Math.max(0, (i - low) / (high - low)));
      return (frequency / factor) * stretched + frequency * (1 - stretched);
    }),
  };
};

/**
 * longrope (Ding et al. 2024): each pair has its own divisor, one list up to the original context and one beyond. Only
 * the first is computed.
 */
const longrope: Scaling = (json, { frequencies }, { file, context }) => {
  const short = json.short_factor;
  if (!short || short.length !== frequencies.length)
    throw new InputError(
      `${file}: longrope needs short_factor, one divisor for each of the ${frequencies.length} rotated pairs of a head; it has ${short?.length ?? 0}`,
    );
  const original = json.original_max_position_embeddings ?? context;
  const factor = json.factor ?? context / original;
  return {
    amplitude: json.attention_factor ?? (factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original))),
    frequencies: frequencies.map((frequency, i) => frequency / short[i]!),
    limit: { tokens: original, scaling: "longrope" },
  };
};

/** dynamic: the plain frequencies up to the model's context; beyond it they depend on the length of the sequence. */
const dynamic: Scaling = (_json, _plain, { context }) => ({ limit: { tokens: context, scaling: "dynamic" } });

/** rope_type → scaling. */
const SCALINGS: Readonly<Record<string, Scaling>> = { default: () => ({}), linear, llama3, yarn, longrope, dynamic };

/**
 * The rotary embedding that `json` describes.
 * @throws InputError for a scaling that is not supported, or lacks what it needs.
 */
export function readRope(json: RopeJson, options: RopeOptions): RopeConfig {
  const { file, headDim, rotated = 1 } = options;
  const type = json.rope_type ?? json.type ?? "default";
  const scaling = entryOf(SCALINGS, type);
  if (!scaling)
    throw new InputError(
      `${file}: rope type ${quote(type)} is not supported; supported: ${Object.keys(SCALINGS).join(", ")}`,
    );
  const dimensions = Math.floor(headDim * rotated);
  if (dimensions < 2 || dimensions % 2 !== 0)
    throw new InputError(
      `${file}: ${dimensions} of the ${headDim} values of a head are rotated; an even number is needed`,
    );
  const theta = json.rope_theta ?? options.theta;
  const frequencies = Array.from({ length: dimensions / 2 }, (_, i) => theta ** ((-2 * i) / dimensions));
  const plain: RopeConfig = { theta, frequencies, amplitude: 1, limit: null };
  return { ...plain, ...scaling(json, plain, options) };
}

function required<Name extends keyof RopeJson & string>(
  json: RopeJson,
  names: readonly Name[],
  type: string,
  file: string,
) {
  const missing = names.find((name) => typeof json[name] !== "number");
  if (missing !== undefined)
    throw new InputError(`${file}: ${type} rope needs ${names.join(", ")}; ${missing} is missing`);
  return json as { [name in Name]: number };
}
