/** Log-probabilities of prompts' own tokens, also with other rows in the residual stream. */
import type { Sequence } from "../../model/sequence.js";
import type { CallOptions, Splice } from "../engine.js";
import { float32, int32, layoutFeeds, rowCount, type Strip } from "./layout.js";
import type { OnnxEngine } from "./onnx-engine.js";
import { textProgram } from "./programs.js";

export async function textLogprobs(
  engine: OnnxEngine,
  sequences: readonly Sequence[],
  options: CallOptions & { splice?: Splice } = {},
): Promise<Float32Array[]> {
  const { splice } = options;
  const { opened } = engine;
  const layer = splice?.layer ?? null;
  const program = await engine.program(`text ${layer}`, () => textProgram(opened, layer), { apart: true });
  const found = sequences.map(() => new Float32Array(0));
  const predicting = [...sequences.keys()].filter((i) => sequences[i]!.prompt.length > 1);
  const lengths = predicting.map((i) => sequences[i]!.prompt.length - 1);
  await engine.inChunks(program, lengths, options, async (chunk) => {
    const indices = chunk.map((k) => predicting[k]!);
    // Nothing follows the last token.
    const strips = indices.map((i): Strip => ({ ids: sequences[i]!.prompt.subarray(0, -1), start: 0 }));
    const rows = rowCount(strips);
    const targets = Int32Array.from(indices.flatMap((i) => [...sequences[i]!.prompt.subarray(1)]));
    const { logprobs } = await program.run({
      ...layoutFeeds(opened.config, strips),
      targets: int32(targets, [rows]),
      ...(splice ? spliceFeeds(indices, strips, splice, engine.model.dModel) : {}),
    });
    engine.cost.forwardTokens += rows;
    const values = logprobs!.data as Float32Array;
    if (!splice) engine.requireNumbers(values);
    let at = 0;
    strips.forEach(({ ids }, k) => {
      found[indices[k]!] = values.slice(at, at + ids.length);
      at += ids.length;
    });
  });
  return found;
}

/** "replacements" [R, D] and, for each of the N rows, which row of residual stream and replacements together it becomes: "source" [N]. */
function spliceFeeds(indices: readonly number[], strips: readonly Strip[], { rows }: Splice, dModel: number) {
  const source = Int32Array.from({ length: rowCount(strips) }, (_, row) => row);
  const replacements = new Float32Array(indices.reduce((sum, i) => sum + rows[i]!.values.length, 0));
  let replaced = 0;
  let first = 0;
  indices.forEach((i, k) => {
    const { values, tokens } = rows[i]!;
    replacements.set(values, replaced * dModel);
    const { length } = strips[k]!.ids;
    for (const token of tokens) {
      if (token < length) source[first + token] = source.length + replaced;
      replaced += 1;
    }
    first += length;
  });
  return { replacements: float32(replacements, [replaced, dModel]), source: int32(source, [source.length]) };
}
