/** PEFT adapters: which modules change and by what. */
import type { FileFolder } from "../formats/byte-source.js";
import { InputError, quote } from "../formats/input-error.js";
import { readFiniteF32 } from "../formats/tensor-file.js";
import { ADAPTER_WEIGHTS, openWeightFiles } from "../formats/weight-files.js";
import { type AdapterConfig, rankOf, readAdapterConfig, refuse, scaleOf } from "./adapter-config.js";
import type { DecoderConfig } from "./decoder-config.js";
import { modelName } from "./weight-names.js";
import {
  type AdapterStore,
  inMemory,
  type StoredLowRank,
  type StoredWeight,
  valuesInMemory,
  type WeightStore,
  weightShapes,
} from "./weights.js";

const EMBEDDING = "model.embed_tokens";
const HEAD = "lm_head";

/** Endings of a tensor's name → its part of a low-rank change; `.weight` of an embedding's parts is left out by PEFT. */
const PARTS = {
  "lora_A.weight": "a",
  "lora_B.weight": "b",
  "lora_B.bias": "bias",
  lora_embedding_A: "a",
  lora_embedding_B: "b",
  lora_magnitude_vector: "magnitude",
} as const;

type Part = (typeof PARTS)[keyof typeof PARTS];

/** The parts of one module's change that the file has; `peftName` is what PEFT calls the module. */
interface Found {
  readonly peftName: string;
  readonly parts: { [part in Part]?: StoredWeight };
}

export interface Adapter {
  /** Low-rank changes by module. */
  readonly pairs: AdapterStore;
  /** Whole tensors that stand for the base's: modules_to_save, trained biases, embeddings that came with the adapter. */
  readonly replaced: WeightStore;
  /** Whether the embedding is a copy of its own (modules_to_save), and not the base's with other values. */
  readonly ownEmbedding: boolean;
}

/**
 * Reads `adapter_config.json` and `adapter_model.safetensors` (or `.bin`).
 * @throws InputError when a tensor fits no module of the base model, in name or in shape, or the two files do not agree.
 */
export async function loadAdapter(folder: FileFolder, config: DecoderConfig): Promise<Adapter> {
  const settings = await readAdapterConfig(await folder.open("adapter_config.json"));
  const tensors = await openWeightFiles(folder, ADAPTER_WEIGHTS);
  const shapes = weightShapes({ ...config, tied: false }); // a tied head may have a change of its own
  const found = new Map<string, Found>();
  const replaced = new Map<string, StoredWeight>();
  for (const [key, { source, entry }] of tensors) {
    const { peftName, part, suffix } = parseKey(key);
    const module = modelName(config, peftName);
    const base = shapes.get(`${module}.${part ? "weight" : suffix}`);
    const embedded = suffix.startsWith("lora_embedding_");
    if (part === "magnitude" && module === EMBEDDING) refuse(source.name, "DoRA of embeddings");
    if (!base || (part && (base.shape.length !== 2 || embedded !== (module === EMBEDDING))))
      throw new InputError(
        `${source.name}: ${quote(key)} belongs to no module of this ${config.family} model with ${config.layers} layers`,
      );
    if (!part) {
      requireShape(entry.shape, base.shape, source.name, key);
      replaced.set(`${module}.${suffix}`, inMemory(await readFiniteF32(source, entry), entry.shape));
      continue;
    }
    requireShape(entry.shape, partShape(part, base.shape, entry.shape, embedded), source.name, key);
    const parts: Found["parts"] = found.get(module)?.parts ?? {};
    if (parts[part])
      throw new InputError(`${source.name}: ${module} has ${suffix} twice; an adapter of one name has it once`);
    const weight = inMemory(await readFiniteF32(source, entry), entry.shape);
    found.set(module, { peftName, parts: { ...parts, [part]: weight } });
  }
  const pairs = new Map(
    [...found].map(([module, parts]) => [module, lowRank(module, parts, settings, folder.name)] as const),
  );
  if (pairs.size === 0 && replaced.size === 0) throw new InputError(`${folder.name}: holds no LoRA tensors`);
  const saved = settings.modules_to_save ?? [];
  const ownEmbedding = saved.some((name) => EMBEDDING === name || EMBEDDING.endsWith(`.${name}`));
  return { pairs, replaced, ownEmbedding };
}

/** "base_model.model.<module>.lora_A.weight" → the module as PEFT calls it and what of it this is: a part, or a whole tensor. */
function parseKey(key: string): { peftName: string; part?: Part; suffix: string } {
  const name = key.replace(/^base_model\.model\./, "").replace(/\.default(?=\.|$)/, "");
  const ending = Object.keys(PARTS).find((each) => name.endsWith(`.${each}`)) as keyof typeof PARTS | undefined;
  if (ending) return { peftName: name.slice(0, -ending.length - 1), part: PARTS[ending], suffix: ending };
  const whole = /^(.*?)\.(?:modules_to_save\.|base_layer\.)?(weight|bias)$/.exec(name);
  return whole ? { peftName: whole[1]!, suffix: whole[2]! } : { peftName: name, suffix: "" };
}

/**
 * The base model with the adapter. A tied head follows an embedding that the adapter brings, but for one of its modules_to_save:
 * that is a copy, and the head keeps the base's, as in PEFT.
 */
export function withAdapter(
  base: { config: DecoderConfig; weights: WeightStore },
  { pairs, replaced, ownEmbedding }: Adapter,
) {
  const { config, weights } = base;
  const embedding = `${EMBEDDING}.weight`;
  const head = `${HEAD}.weight`;
  const unties = config.tied && (replaced.has(head) || (ownEmbedding && replaced.has(embedding)));
  const own: [string, StoredWeight][] = unties ? [[head, weights.get(embedding)!]] : [];
  return {
    config: unties ? { ...config, tied: false } : config,
    weights: new Map([...weights, ...own, ...replaced]),
    adapter: pairs,
  };
}

/** Shape of a part for a base weight [out, in] (embedding: [in, out]), its rank taken from the file. */
function partShape(part: Part, base: readonly number[], given: readonly number[], embedded: boolean): number[] {
  const [out, width] = (embedded ? [...base].reverse() : base) as [number, number];
  if (part === "a") return [given[0] ?? 0, width];
  if (part === "b") return [out, given[1] ?? 0];
  return [out];
}

function lowRank(module: string, { peftName, parts }: Found, settings: AdapterConfig, file: string): StoredLowRank {
  const { a, b, bias, magnitude } = parts;
  if (!a || !b) throw new InputError(`${file}: ${module} has only one of lora_A and lora_B`);
  const rank = a.shape[0]!;
  if (rank !== b.shape[1] || rank === 0)
    throw new InputError(`${file}: ${module}: lora_A has rank ${rank}, lora_B ${b.shape[1]}`);
  const said = rankOf(settings, peftName);
  if (rank !== said)
    throw new InputError(
      `${file}: ${module} has rank ${rank}; adapter_config.json says ${said} (r, rank_pattern), so the two do not belong together`,
    );
  if (settings.use_dora !== (magnitude !== undefined))
    throw new InputError(
      `${file}: ${module} has ${magnitude ? "a" : "no"} lora_magnitude_vector; adapter_config.json says use_dora ${settings.use_dora}, so the two do not belong together`,
    );
  return {
    a: module === EMBEDDING ? transposed(a) : a,
    b,
    scale: scaleOf(settings, peftName, rank),
    ...(bias ? { bias } : {}),
    ...(magnitude ? { magnitude } : {}),
  };
}

/** A matrix in memory with rows and columns exchanged. */
function transposed(weight: StoredWeight): StoredWeight {
  const [rows, columns] = weight.shape as [number, number];
  const from = valuesInMemory(weight)!;
  const to = Float32Array.from(from, (_, i) => from[(i % rows) * columns + Math.floor(i / rows)]!);
  return inMemory(to, [columns, rows]);
}

function requireShape(shape: readonly number[], wanted: readonly number[], file: string, key: string): void {
  if (shape.length !== wanted.length || shape.some((n, i) => n !== wanted[i]))
    throw new InputError(
      `${file}: ${quote(key)} has shape [${shape.join(", ")}]; the base model asks for [${wanted.join(", ")}]`,
    );
}
