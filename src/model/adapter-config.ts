/** adapter_config.json of PEFT: what scales the low-rank changes, and which settings are refused. */
import { z } from "zod";
import type { ByteSource } from "../formats/byte-source.js";
import { InputError, quote } from "../formats/input-error.js";
import { readJson } from "../formats/json.js";
import { firstWrong } from "../formats/shape.js";

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
    lora_bias: z.boolean().default(false),
    init_lora_weights: z.union([z.boolean(), z.string()]).nullish(),
    rank_pattern: z.record(z.string(), z.number().int().positive()).nullish(),
    alpha_pattern: z.record(z.string(), z.number()).nullish(),
    modules_to_save: z.array(z.string()).nullish(),
    layer_replication: z.unknown().optional(),
    alora_invocation_tokens: z.unknown().optional(),
    target_parameters: z.unknown().optional(),
    trainable_token_indices: z.unknown().optional(),
    use_qalora: z.boolean().nullish(),
    use_bdlora: z.unknown().optional(),
    arrow_config: z.unknown().optional(),
    kasa_config: z.unknown().optional(),
    monteclora_config: z.unknown().optional(),
    velora_config: z.unknown().optional(),
  })
  .loose();

export type AdapterConfig = z.infer<typeof adapterConfigShape>;

/** Ways of starting an adapter that leave the base weights as they are; others (pissa, olora, corda, loftq) train beside changed ones. */
const PLAIN_STARTS = ["gaussian", "eva", "orthogonal"];

/** @throws InputError for a file that is malformed, or asks for arithmetic that is not computed here. */
export async function readAdapterConfig(source: ByteSource): Promise<AdapterConfig> {
  const json = await readJson(source, MAX_CONFIG_BYTES);
  const type = (json as { peft_type?: unknown } | null)?.peft_type;
  if (typeof type === "string" && type !== "LORA") refuse(source.name, `peft_type ${quote(type)}`);
  const parsed = adapterConfigShape.safeParse(json);
  if (!parsed.success) {
    throw new InputError(`${source.name}: ${firstWrong(parsed.error, "config")}`);
  }
  refuseUnsupported(parsed.data, source.name);
  refuseCostlyPatterns(parsed.data, source.name);
  refuseUnreadablePatterns(parsed.data, source.name);
  return parsed.data;
}

function refuseUnsupported(config: AdapterConfig, file: string): void {
  const start = config.init_lora_weights;
  const refused: [boolean, string][] = [
    [config.use_qalora === true, "use_qalora"],
    [config.fan_in_fan_out, "fan_in_fan_out"],
    [config.use_dora && config.lora_bias, "use_dora with lora_bias"],
    [
      typeof start === "string" && !PLAIN_STARTS.includes(start),
      `init_lora_weights ${quote(String(start))}, which changes the base weights,`,
    ],
    [isSet(config.use_bdlora) && config.use_bdlora !== false, "use_bdlora"],
    [isSet(config.arrow_config), "arrow_config"],
    [isSet(config.kasa_config), "kasa_config"],
    [isSet(config.monteclora_config), "monteclora_config"],
    [isSet(config.velora_config), "velora_config"],
    [isSet(config.layer_replication), "layer_replication"],
    [isSet(config.alora_invocation_tokens), "alora_invocation_tokens"],
    [isSet(config.target_parameters), "target_parameters"],
    [isSet(config.trainable_token_indices), "trainable_token_indices"],
  ];
  for (const [set, what] of refused) if (set) refuse(file, what);
}

/** @throws InputError that says what is supported instead of `what`. */
export function refuse(file: string, what: string): never {
  throw new InputError(
    `${file}: ${what} is not supported; supported: LoRA, rsLoRA and DoRA of linear layers, LoRA of embeddings, rank and alpha patterns, trained biases, modules_to_save`,
  );
}

function isSet(value: unknown): boolean {
  return value !== null && value !== undefined && !(Array.isArray(value) && value.length === 0);
}

/** The rank that the file says for a module. Patterns as PEFT matches them: the whole module name or its dotted end. */
export function rankOf(config: AdapterConfig, module: string): number {
  return patternOf(config.rank_pattern, module) ?? config.r;
}

/** alpha / r, or alpha / √r with rsLoRA. */
export function scaleOf(config: AdapterConfig, module: string, rank: number): number {
  const alpha = patternOf(config.alpha_pattern, module) ?? config.lora_alpha;
  return alpha / (config.use_rslora ? Math.sqrt(rank) : rank);
}

/** The value of the first pattern that `module` matches. */
function patternOf(patterns: Readonly<Record<string, number>> | null | undefined, module: string): number | undefined {
  return Object.entries(patterns ?? {}).find(([key]) => matches(key, module))?.[1];
}

/** Longest pattern; one that lists the layers and modules of a large model has some hundred characters. */
const MAX_PATTERN = 4096;

/** What regular expressions of Python have alone, or write otherwise than JavaScript. */
const PYTHON_ONLY = /\(\?[PaiLmsux#(]|\\[AZ]/;

/** Repetitions in one pattern; each multiplies the time that a pattern which nearly matches takes. */
const MAX_REPETITIONS = 4;

/** Refuses patterns that could take for ever: repeated groups (a repetition of repetitions), and very many repetitions. */
export function refuseCostlyPatterns(
  config: Pick<AdapterConfig, "rank_pattern" | "alpha_pattern">,
  file: string,
): void {
  for (const key of patternsOf(config))
    if (/\)[*+?{]/.test(key) || (key.match(/[*+?{]/g)?.length ?? 0) > MAX_REPETITIONS)
      throw new InputError(
        `${file}: pattern ${quote(key)} is too involved; write module names, or at most ${MAX_REPETITIONS} repetitions and none of a group`,
      );
}

/** Refuses patterns that cannot be read: they would match nothing, and leave a change with another scale. */
function refuseUnreadablePatterns(config: AdapterConfig, file: string): void {
  for (const key of patternsOf(config))
    if (key.length > MAX_PATTERN || PYTHON_ONLY.test(key) || !expressionOf(key))
      throw new InputError(
        `${file}: pattern ${quote(key)} cannot be read; write module names, or a regular expression of at most ${MAX_PATTERN} characters that is written alike in Python and JavaScript`,
      );
}

function patternsOf(config: Pick<AdapterConfig, "rank_pattern" | "alpha_pattern">): string[] {
  return [...Object.keys(config.rank_pattern ?? {}), ...Object.keys(config.alpha_pattern ?? {})];
}

function matches(key: string, module: string): boolean {
  if (module === key || module.endsWith(`.${key}`)) return true;
  if (!/[\\^$*+?()[\]{}|]/.test(key)) return false; // a name: most files have one pattern a module
  return expressionOf(key)!.test(module);
}

/** What PEFT makes of a pattern; null where it is no regular expression. */
function expressionOf(key: string): RegExp | null {
  try {
    return new RegExp(`^(.*\\.)?(${key})$`);
  } catch {
    return null;
  }
}
