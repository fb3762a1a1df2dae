/** The parameters of an SAE in training with everything that continues it exactly, and as bytes for a checkpoint. */
import type { ByteSource } from "../formats/byte-source.js";
import { InputError } from "../formats/input-error.js";
import { readSafetensorsHeader, readTensorF32, writeSafetensors } from "../formats/safetensors.js";
import type { AdamState } from "./adam.js";

/** d = width, m = latents; in the normalised units that training works in. */
export interface TrainingParameters {
  /** W_encᵀ [m, d] */
  readonly encoder: Float32Array;
  /** b_enc [m] */
  readonly encoderBias: Float32Array;
  /** W_dec [m, d], rows of norm 1 */
  readonly decoder: Float32Array;
  /** b_dec [d] */
  readonly decoderBias: Float32Array;
  /** Logarithm of each latent's threshold [m], where thresholds are learned. */
  readonly logThreshold?: Float32Array;
}

export type ParameterName = keyof TrainingParameters;
const NAMES: readonly ParameterName[] = ["encoder", "encoderBias", "decoder", "decoderBias", "logThreshold"];

/** What `parameters` has, with its name. */
export function parameterEntries(parameters: TrainingParameters): [ParameterName, Float32Array][] {
  return NAMES.flatMap((name) => {
    const values = parameters[name];
    return values === undefined ? [] : [[name, values]];
  });
}

export interface TrainingState {
  /** Steps done. */
  readonly step: number;
  readonly parameters: TrainingParameters;
  /** Of each parameter that there is. */
  readonly adam: Readonly<Partial<Record<ParameterName, AdamState>>>;
  /** [m] step at which each latent last fired. */
  readonly lastFired: Int32Array;
}

/** A state as the bytes of a safetensors file. */
export function writeTrainingState(state: TrainingState): Uint8Array {
  const tensors = parameterEntries(state.parameters).flatMap<{ name: string; data: Float32Array }>(([name, data]) => {
    const { first, second } = state.adam[name]!;
    return [
      { name, data },
      { name: `${name}.first`, data: first },
      { name: `${name}.second`, data: second },
    ];
  });
  tensors.push({ name: "lastFired", data: Float32Array.from(state.lastFired) });
  return writeSafetensors(
    tensors.map(({ name, data }) => ({ name, data, dtype: "F32", shape: [data.length] })),
    { step: String(state.step) },
  );
}

/** Reads what `writeTrainingState` wrote, for an SAE of `d` × `m`. Rejects with InputError when it is not that. */
export async function readTrainingState(source: ByteSource, d: number, m: number): Promise<TrainingState> {
  const header = await readSafetensorsHeader(source);
  const step = Number(header.metadata.get("step"));
  if (!Number.isInteger(step) || step < 0)
    throw new InputError(`${source.name}: not a checkpoint of SAE training (no step in it)`);
  const read = async (name: string, length: number): Promise<Float32Array> => {
    const entry = header.tensors.get(name);
    if (entry === undefined || entry.shape.length !== 1 || entry.shape[0] !== length) {
      throw new InputError(`${source.name}: ${name} should hold ${length} numbers; the checkpoint is of another SAE`);
    }
    return readTensorF32(source, entry);
  };
  const lengths = { encoder: m * d, encoderBias: m, decoder: m * d, decoderBias: d, logThreshold: m };
  const parameters = {} as Record<ParameterName, Float32Array>;
  const adam = {} as Record<ParameterName, AdamState>;
  for (const name of NAMES) {
    if (name === "logThreshold" && !header.tensors.has(name)) continue;
    parameters[name] = await read(name, lengths[name]);
    adam[name] = {
      step,
      first: await read(`${name}.first`, lengths[name]),
      second: await read(`${name}.second`, lengths[name]),
    };
  }
  return { step, parameters, adam, lastFired: Int32Array.from(await read("lastFired", m)) };
}
