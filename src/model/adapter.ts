/** PEFT LoRA adapters: which modules change and by what. */
import { z } from "zod";
import type { FileFolder } from "../formats/byte-source.js";
import { InputError, quote } from "../formats/input-error.js";
import { readJson } from "../formats/json.js";
import { readFiniteF32 } from "../formats/tensor-file.js";
import { ADAPTER_WEIGHTS, openWeightFiles } from "../formats/weight-files.js";
import type { DecoderConfig } from "./config.js";
import { type AdapterStore, inMemory, type StoredWeight, type WeightStore, weightShapes } from "./weights.js";

/** An adapter_config.json is a few KiB; this bounds a hostile one. */
const MAX_CONFIG_BYTES = 4 << 20;

const adapterConfigShape = z
  .object({
    peft_type: z.string(),
    r: z.number().int().positive().default(8),
    lora_alpha: z.number().default(8),
    use_rslora: z.boolean().default(false),
    use_dora: z.boolean().default(false),
    fan_in_fan_out: z.boolean().default(false),
    bias: z.string().default("none"),
    lora_bias: z.boolean().default(false),
    rank_pattern: z.record(z.string(), z.number().int().positive()).nullish(),
    alpha_pattern: z.record(z.string(), z.number()).nullish(),
    layer_replication: z.unknown().optional(),
    alora_invocation_tokens: z.unknown().optional(),
    target_parameters: z.unknown().optional(),
    trainable_token_indices: z.unknown().optional(),
    use_qalora: z.boolean().nullish(),
    use_bdlora: z.unknown().optional(),
    arrow_config: z.unknown().optional(),
    kasa_config: z.unknown().optional(),
    monteclora_config: z.unknown().optional(),
  })
  .loose();

type AdapterConfig = z.infer<typeof adapterConfigShape>;

/** Settings that change the arithmetic in ways this reader does not compute. */
function refuseUnsupported(config: AdapterConfig, file: string): void {
  const refused: [boolean, string][] = [
    [config.peft_type !== "LORA", `peft_type ${quote(config.peft_type)}`],
    [config.use_dora, "use_dora"],
    [config.use_qalora === true, "use_qalora"],
    [config.fan_in_fan_out, "fan_in_fan_out"],
    [config.bias !== "none" || config.lora_bias, "trained biases"],
    [isSet(config.use_bdlora) && config.use_bdlora !== false, "use_bdlora"],
    [isSet(config.arrow_config), "arrow_config"],
    [isSet(config.kasa_config), "kasa_config"],
    [isSet(config.monteclora_config), "monteclora_config"],
    [isSet(config.layer_replication), "layer_replication"],
    [isSet(config.alora_invocation_tokens), "alora_invocation_tokens"],
    [isSet(config.target_parameters), "target_parameters"],
    [isSet(config.trainable_token_indices), "trainable_token_indices"],
  ];
  for (const [set, what] of refused)
    if (set)
      throw new InputError(
        `${file}: ${what} is not supported; supported: LoRA of linear layers (also rsLoRA, rank and alpha patterns, modules_to_save)`,
      );
}

function isSet(value: unknown): boolean {
  return value !== null && value !== undefined && !(Array.isArray(value) && value.length === 0);
}

/**
 * Reads `adapter_config.json` and `adapter_model.safetensors` (or `.bin`). Returns the low-rank pairs by module name, and whole
 * tensors (modules_to_save) that replace the base's.
 * @throws InputError when a tensor fits no module of the base model, in name or in shape.
 */
export async function loadAdapter(
  folder: FileFolder,
  config: DecoderConfig,
): Promise<{ pairs: AdapterStore; replaced: WeightStore }> {
  const configSource = await folder.open("adapter_config.json");
  const parsed = adapterConfigShape.safeParse(await readJson(configSource, MAX_CONFIG_BYTES));
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new InputError(`${configSource.name}: ${issue.path.join(".") || "config"}: ${issue.message}`);
  }
  refuseUnsupported(parsed.data, configSource.name);
  refuseCostlyPatterns(parsed.data, configSource.name);
  const tensors = await openWeightFiles(folder, ADAPTER_WEIGHTS);
  const shapes = weightShapes(config);
  const halves = new Map<string, { a?: StoredWeight; b?: StoredWeight }>();
  const replaced = new Map<string, StoredWeight>();
  for (const [key, { source, entry }] of tensors) {
    const name = key.replace(/^base_model\.model\./, "").replace(/\.default(?=\.|$)/, "");
    const match = /^(.*)\.lora_(A|B)\.weight$/.exec(name);
    const module = match?.[1] ?? name.replace(/\.(modules_to_save\.|base_layer\.)?weight$/, "");
    const base = shapes.get(`${module}.weight`);
    if (!base || (!match && !name.endsWith("weight")))
      throw new InputError(
        `${source.name}: ${quote(key)} belongs to no module of this ${config.family} model with ${config.layers} layers`,
      );
    const weight = inMemory(await readFiniteF32(source, entry), entry.shape);
    if (!match) {
      requireShape(entry.shape, base.shape, source.name, key);
      replaced.set(`${module}.weight`, weight);
      continue;
    }
    const [out, width] = base.shape as [number, number];
    const rank = match[2] === "A" ? entry.shape[0] : entry.shape[1];
    requireShape(entry.shape, match[2] === "A" ? [rank ?? 0, width] : [out, rank ?? 0], source.name, key);
    const half = halves.get(module) ?? {};
    if (match[2] === "A" ? half.a : half.b)
      throw new InputError(`${source.name}: ${module} has lora_${match[2]} twice; an adapter of one name has it once`);
    halves.set(module, match[2] === "A" ? { ...half, a: weight } : { ...half, b: weight });
  }
  const pairs = new Map<string, { a: StoredWeight; b: StoredWeight; scale: number }>();
  for (const [module, { a, b }] of halves) {
    if (!a || !b) throw new InputError(`${folder.name}: ${module} has only one of lora_A and lora_B`);
    if (a.shape[0] !== b.shape[1] || a.shape[0] === 0)
      throw new InputError(`${folder.name}: ${module}: lora_A has rank ${a.shape[0]}, lora_B ${b.shape[1]}`);
    const said = patternOf(parsed.data.rank_pattern, module) ?? parsed.data.r;
    if (a.shape[0] !== said)
      throw new InputError(
        `${folder.name}: ${module} has rank ${a.shape[0]}; adapter_config.json says ${said} (r, rank_pattern), so the two do not belong together`,
      );
    pairs.set(module, { a, b, scale: scaleOf(parsed.data, module, a.shape[0]!) });
  }
  if (pairs.size === 0 && replaced.size === 0) throw new InputError(`${folder.name}: holds no LoRA tensors`);
  return { pairs, replaced };
}

/** alpha / r, or alpha / √r with rsLoRA; patterns as PEFT matches them: the whole module name or its dotted end. */
function scaleOf(config: AdapterConfig, module: string, rank: number): number {
  const alpha = patternOf(config.alpha_pattern, module) ?? config.lora_alpha;
  return alpha / (config.use_rslora ? Math.sqrt(rank) : rank);
}

/** The value of the first pattern that `module` matches. */
function patternOf(patterns: Readonly<Record<string, number>> | null | undefined, module: string): number | undefined {
  return Object.entries(patterns ?? {}).find(([key]) => matches(key, module))?.[1];
}

/** Longest pattern that is compiled as a regular expression; real ones are module names. */
const MAX_PATTERN = 256;

/** Repetitions in one pattern; each multiplies the time that a pattern which nearly matches takes. */
const MAX_REPETITIONS = 4;

/** Refuses patterns that could take for ever: repeated groups (a repetition of repetitions), and very many repetitions. */
export function refuseCostlyPatterns(
  config: Pick<AdapterConfig, "rank_pattern" | "alpha_pattern">,
  file: string,
): void {
  for (const key of [...Object.keys(config.rank_pattern ?? {}), ...Object.keys(config.alpha_pattern ?? {})])
    if (/\)[*+?{]/.test(key) || (key.match(/[*+?{]/g)?.length ?? 0) > MAX_REPETITIONS)
      throw new InputError(
        `${file}: pattern ${quote(key)} is too involved; write module names, or at most ${MAX_REPETITIONS} repetitions and none of a group`,
      );
}

function matches(key: string, module: string): boolean {
  if (module === key || module.endsWith(`.${key}`)) return true;
  if (key.length > MAX_PATTERN || !/[\\^$*+?()[\]{}|]/.test(key)) return false;
  try {
    return new RegExp(`^(.*\\.)?(${key})$`).test(module);
  } catch {
    return false;
  }
}

function requireShape(shape: readonly number[], wanted: readonly number[], file: string, key: string): void {
  if (shape.length !== wanted.length || shape.some((n, i) => n !== wanted[i]))
    throw new InputError(
      `${file}: ${quote(key)} has shape [${shape.join(", ")}]; the base model asks for [${wanted.join(", ")}]`,
    );
}
