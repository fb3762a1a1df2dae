/** Replies, written in the PyTorch process a few tokens at a time. */
import { z } from "zod";
import type { Sequence } from "../../model/sequence.js";
import { Random } from "../../random/random.js";
import type { GenerateOptions, Reply } from "../engine.js";
import { replyInBatches } from "../reply-batches.js";
import { integersOf, packIds, totalLength } from "./packing.js";
import type { TorchEngine } from "./torch-engine.js";

/** Tokens between two looks at whether the call was aborted. */
const STEPS = 16;

const keptShape = z.object({ kept: z.number() });
const advancedShape = z.object({ done: z.boolean() });

export function generateReplies(
  engine: TorchEngine,
  sequences: readonly Sequence[],
  options: GenerateOptions,
): Promise<Reply[]> {
  return replyInBatches(sequences, options, (...batch) => generateBatch(engine, options, ...batch));
}

/** `streams`: places of the sequences in the caller's list, which their draws go by. */
async function generateBatch(
  engine: TorchEngine,
  options: GenerateOptions,
  sequences: readonly Sequence[],
  streams: readonly number[],
  onShare: (share: number) => void,
): Promise<Reply[]> {
  const { steering, temperature = 0, topP = 1, seed = 42, maxTokens: limit, stop } = options;
  const prompts = sequences.map(({ prompt }) => prompt);
  const draws = streams.map((stream) => new Random(seed, `reply ${stream}`));
  const uniforms = Float64Array.from(
    temperature > 0 ? draws.flatMap((random) => Array.from({ length: limit }, () => random.uniform())) : [],
  );
  const { answer } = await engine.ask(
    "generate",
    {
      layer: steering?.layer ?? null,
      scale: steering?.scale ?? 1,
      afterPrompt: steering?.afterPrompt ?? false,
      stop,
      temperature,
      topP,
      limit,
    },
    {
      ...packIds(prompts),
      uniforms: { dtype: "f64", shape: [temperature > 0 ? prompts.length : 0, limit], data: uniforms },
      ...(steering ? engine.steeringTensors(sequences, prompts, steering) : {}),
    },
  );
  const { kept } = keptShape.parse(answer);
  const tokens: number[][] = prompts.map(() => []);
  try {
    for (let made = 0, done = false; made < limit && !done; ) {
      options.signal?.throwIfAborted();
      onShare(made / limit);
      const step = await engine.client.call("advance", { kept, steps: STEPS });
      done = advancedShape.parse(step.answer).done;
      const data = integersOf(step.tensors, "tokens");
      const width = data.length / prompts.length;
      tokens.forEach((reply, k) => reply.push(...data.subarray(k * width, (k + 1) * width)));
      engine.cost.forwardTokens += prompts.length * width + (made === 0 ? totalLength(prompts) - prompts.length : 0);
      made += width;
    }
  } finally {
    await engine.client.call("drop", { kept });
  }
  const stops = new Set(stop);
  return tokens.map((reply) => {
    const end = reply.findIndex((token) => stops.has(token));
    return { tokens: Int32Array.from(end < 0 ? reply : reply.slice(0, end + 1)), stopped: end >= 0 };
  });
}
