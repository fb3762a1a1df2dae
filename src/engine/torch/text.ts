/** Log-probabilities of prompts' own tokens, also with other rows in the residual stream. */
import type { Sequence } from "../../model/sequence.js";
import type { CallOptions, Splice } from "../engine.js";
import { f32, floats, i32, joinInts, packIds, packRows, totalLength } from "./packing.js";
import type { TorchEngine } from "./torch-engine.js";

export async function textLogprobs(
  engine: TorchEngine,
  sequences: readonly Sequence[],
  options: CallOptions & { splice?: Splice } = {},
): Promise<Float32Array[]> {
  const { splice } = options;
  const found = sequences.map(() => new Float32Array(0));
  const predicting = [...sequences.keys()].filter((i) => sequences[i]!.prompt.length > 1);
  const lengths = predicting.map((i) => sequences[i]!.prompt.length - 1);
  await engine.inChunks(lengths, options, async (chunk) => {
    const indices = chunk.map((k) => predicting[k]!);
    const computed = indices.map((i) => sequences[i]!.prompt.subarray(0, -1)); // nothing follows the last token
    const { tensors } = await engine.ask(
      "text",
      { layer: splice?.layer ?? null },
      {
        ...packIds(computed),
        targets: i32(joinInts(indices.map((i) => sequences[i]!.prompt.subarray(1)))),
        ...(splice ? spliceTensors(indices, computed, splice, engine.model.dModel) : {}),
      },
    );
    engine.cost.forwardTokens += totalLength(computed);
    const values = floats(tensors, "logprobs", totalLength(computed));
    if (!splice) engine.requireNumbers(values);
    let at = 0;
    indices.forEach((i, k) => {
      found[i] = values.slice(at, at + computed[k]!.length);
      at += computed[k]!.length;
    });
  });
  return found;
}

/** The packed tokens whose residual stream is replaced, and by what. */
function spliceTensors(indices: readonly number[], computed: readonly Int32Array[], { rows }: Splice, dModel: number) {
  const parts = indices.map((i, k) => {
    const { values, tokens } = rows[i]!;
    const kept = tokens.filter((token) => token < computed[k]!.length);
    const taken = new Float32Array(kept.length * dModel);
    let at = 0;
    tokens.forEach((token, r) => {
      if (token < computed[k]!.length) taken.set(values.subarray(r * dModel, (r + 1) * dModel), dModel * at++);
    });
    return { kept, taken };
  });
  const replacements = new Float32Array(totalLength(parts.map(({ taken }) => taken)));
  let at = 0;
  for (const { taken } of parts) {
    replacements.set(taken, at);
    at += taken.length;
  }
  const replaced = packRows(
    computed,
    parts.map(({ kept }) => kept),
  );
  return { replaced, replacements: f32(replacements, [replacements.length / dModel, dModel]) };
}
