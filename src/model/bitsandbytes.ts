/**
 * Weights that transformers saved in four bits with bitsandbytes: `<weight>` holds packed codes, and beside it lie
 * `.absmax` (f32, or 8-bit codes with `.nested_absmax` and `.nested_quant_map`), `.quant_map` (the 16 levels) and
 * `.quant_state.bitsandbytes__nf4` (JSON as bytes).
 */
import { z } from "zod";
import { InputError, quote } from "../formats/input-error.js";
import { firstWrong } from "../formats/shape.js";
import { type LocatedTensor, readFiniteF32, readTensorBytes } from "../formats/tensor-file.js";
import { dequantiseMagnitudes, NF4_LEVELS } from "./nf4.js";
import type { StoredWeight } from "./weights.js";

/** The JSON of a quant_state is about 160 bytes; this bounds a hostile one. */
const MAX_STATE_BYTES = 1 << 16;
const STATE = "quant_state.bitsandbytes__";
/** Both kinds that bitsandbytes writes, so that the other is refused by name. */
const KINDS = ["nf4", "fp4"];

const stateShape = z.looseObject({
  quant_type: z.string(),
  blocksize: z
    .int()
    .min(2)
    .max(1 << 16),
  dtype: z.enum(["float32", "float16", "bfloat16"]),
  shape: z.array(z.int().positive()).length(2),
  nested_blocksize: z.int().positive().optional(),
  nested_offset: z.number().optional(),
});

/** Whether config.json's quantization_config is of the kind that `readFourBit` reads. */
export function isFourBit(config: unknown): boolean {
  const parsed = z
    .looseObject({
      quant_method: z.literal("bitsandbytes"),
      load_in_4bit: z.literal(true),
      bnb_4bit_quant_type: z.literal("nf4"),
    })
    .safeParse(config);
  return parsed.success;
}

/**
 * The weight `name` [out, in] if it is stored in four bits, else null. `mapped`: its codes stay in the file.
 * @throws InputError for parts that are missing, of a wrong type or do not fit together.
 */
export async function readFourBit(
  named: ReadonlyMap<string, LocatedTensor>,
  name: string,
  shape: readonly number[],
  mapped: boolean,
): Promise<StoredWeight | null> {
  const prefix = `${name}.${STATE}`;
  const key = KINDS.map((kind) => `${prefix}${kind}`).find((each) => named.has(each));
  if (key === undefined) return null;
  const { source, entry } = named.get(name)!;
  const fail = (what: string): never => {
    throw new InputError(`${source.name}: ${name}: ${what}; expected a checkpoint that bitsandbytes quantised to nf4`);
  };
  if (!key.endsWith("nf4")) fail(`its values are ${key.slice(prefix.length)}`);
  const part = (suffix: string): LocatedTensor => named.get(`${name}.${suffix}`) ?? fail(`${suffix} is missing`);
  const state = await readState(named.get(key)!, fail);
  if (state.shape[0] !== shape[0] || state.shape[1] !== shape[1])
    fail(`has shape [${state.shape.join(", ")}]; config.json asks for [${shape.join(", ")}]`);
  const count = state.shape[0]! * state.shape[1]!;
  if (count % state.blocksize !== 0) fail(`${count} values are no whole number of blocks of ${state.blocksize}`);
  if (entry.end - entry.begin !== count / 2) fail(`${entry.end - entry.begin} bytes for ${count} codes of four bits`);
  const levels = await floats(part("quant_map"), 16, fail);
  if (levels.some((level, i) => level !== NF4_LEVELS[i])) fail("quant_map has other levels than nf4");

  const blocks = count / state.blocksize;
  const absmax = part("absmax");
  const nested = absmax.entry.dtype === "U8";
  let scales: Float32Array;
  if (!nested) scales = await floats(absmax, blocks, fail);
  else {
    const { nested_blocksize: block, nested_offset: offset } = state;
    if (block === undefined || offset === undefined) throw fail("quant_state has no nested_blocksize or nested_offset");
    const codes = await readTensorBytes(absmax.source, absmax.entry);
    if (codes.length !== blocks) fail(`absmax has ${codes.length} entries, not ${blocks}`);
    scales = dequantiseMagnitudes({
      codes,
      levels: await floats(part("nested_quant_map"), 256, fail),
      magnitudes: await floats(part("nested_absmax"), Math.ceil(blocks / block), fail),
      block,
      offset: Math.fround(offset),
    });
  }
  return {
    dtype: "nf4",
    shape,
    values:
      mapped && source.realPath !== undefined
        ? { file: source.realPath, offset: entry.begin, length: entry.end - entry.begin }
        : { bytes: await readTensorBytes(source, entry) },
    blocks: { scales, rounded: state.dtype },
  };
}

async function readState({ source, entry }: LocatedTensor, fail: (what: string) => never) {
  const length = entry.end - entry.begin;
  if (entry.dtype !== "U8" || length > MAX_STATE_BYTES) fail(`quant_state is ${length} bytes of ${entry.dtype}`);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(await readTensorBytes(source, entry)));
  } catch {
    fail("quant_state is no JSON");
  }
  const parsed = stateShape.safeParse(json);
  if (!parsed.success) {
    return fail(`quant_state: ${firstWrong(parsed.error, "the document")}`);
  }
  return parsed.data;
}

async function floats({ source, entry }: LocatedTensor, length: number, fail: (what: string) => never) {
  const values = await readFiniteF32(source, entry);
  if (values.length !== length) fail(`${quote(entry.name)} has ${values.length} entries, not ${length}`);
  return values;
}
