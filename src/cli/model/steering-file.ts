/** Vectors on disk: safetensors with `directions` [count, d_model], or a single `direction` [d_model]. */
import type { Steering } from "../../engine/engine.js";
import { InputError, quoteAll } from "../../formats/input-error.js";
import { readSafetensorsHeader, readTensorF32, writeSafetensors } from "../../formats/safetensors.js";
import { describeSae } from "../../sae/registry.js";
import { writeFileAtomic } from "../../store/atomic-write.js";
import { openFile } from "../../store/node-file-source.js";
import type { SteeringFlags } from "../terminal/options.js";
import { checkLayer } from "./layer.js";
import { type OpenedModel, POCKET_MODEL } from "./open-model.js";
import { openSaeFolder } from "./open-sae.js";

/** What --steer, --scale and --layer ask for; undefined without --steer. */
export async function readSteering(
  flags: SteeringFlags,
  model: OpenedModel,
): Promise<(Steering & { readonly scale: number }) | undefined> {
  const { engine } = model;
  if (flags.steer === undefined) {
    if (flags.scale !== 1)
      throw new InputError(`--scale ${flags.scale}: is the factor of a vector, and there is no --steer`);
    if (flags.layer !== undefined) checkLayer(flags.layer, engine.model, "--layer");
    return undefined;
  }
  const [, path = flags.steer, index = "0"] = /^(.*?)(?::(\d+))?$/s.exec(flags.steer) ?? [];
  const source = await openFile(path);
  const { tensors, metadata } = await readSafetensorsHeader(source);
  const entry = tensors.get("directions") ?? tensors.get("direction");
  if (!entry)
    throw new InputError(
      `${path}: holds no tensor called directions or direction; it has ${quoteAll([...tensors.keys()].slice(0, 5)) || "none"}`,
    );
  const [count, width] = entry.shape.length === 1 ? [1, entry.shape[0]] : entry.shape;
  const { dModel, name } = engine.model;
  if (entry.shape.length > 2 || count === undefined || width !== dModel)
    throw new InputError(
      `${path}: ${entry.name} has shape [${entry.shape.join(", ")}]; ${name} needs [count, ${dModel}]`,
    );
  if (Number(index) >= count)
    throw new InputError(`${path}: there is no vector ${index}; it holds ${count}, counted from 0`);
  const values = await readTensorF32(source, entry);
  const vector = values.slice(Number(index) * dModel, (Number(index) + 1) * dModel);
  if (vector.some((x) => !Number.isFinite(x)))
    throw new InputError(`${path}: vector ${index} holds values that are not finite`);
  const written = metadata.get("layer");
  const layer =
    flags.layer ?? (written !== undefined && /^\d+$/.test(written) ? Number(written) : await ownLayer(model));
  if (layer === undefined) throw new InputError(`${path}: does not say which layer it belongs to; give --layer`);
  checkLayer(layer, engine.model, flags.layer === undefined ? path : "--layer");
  return { layer, vector, scale: flags.scale };
}

/** The hook point of the SAE that comes with the model. */
async function ownLayer({ isPocket }: OpenedModel): Promise<number | undefined> {
  if (!isPocket) return undefined;
  const { layer } = await describeSae(await openSaeFolder(POCKET_MODEL), POCKET_MODEL);
  return layer;
}

/** Writes vectors [d_model] each in the form that `readSteering` reads. */
export async function writeDirections(
  path: string,
  vectors: readonly Float32Array[],
  about: { layer: number; model: string; method: string },
): Promise<void> {
  const width = vectors[0]?.length ?? 0;
  const data = new Float32Array(vectors.length * width);
  vectors.forEach((vector, i) => {
    data.set(vector, i * width);
  });
  const { layer, model, method } = about;
  const tensor = { name: "directions", dtype: "F32" as const, shape: [vectors.length, width], data };
  await writeFileAtomic(path, writeSafetensors([tensor], { layer: String(layer), model, method }));
}
