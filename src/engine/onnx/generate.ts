/** Replies with a KV cache: one pass over the prompts, then one token a step for the sequences still going. */
import type { Sequence } from "../../model/sequence.js";
import { Random } from "../../random/random.js";
import type { GenerateOptions, Reply } from "../engine.js";
import { replyInBatches } from "../reply-batches.js";
import type { Feeds, TensorData } from "../runtime.js";
import { sampleToken } from "../sampling.js";
import { layoutFeeds, rowCount, type Strip } from "./layout.js";
import type { OnnxEngine } from "./onnx-engine.js";
import { generateProgram } from "./programs.js";

const NEVER = 1e9;

/** Names the caches of batches that go on side by side. */
let batches = 0;

export function generateReplies(
  engine: OnnxEngine,
  sequences: readonly Sequence[],
  options: GenerateOptions,
): Promise<Reply[]> {
  return replyInBatches(sequences, options, (...batch) => generateBatch(engine, options, ...batch));
}

async function generateBatch(
  engine: OnnxEngine,
  options: GenerateOptions,
  sequences: readonly Sequence[],
  streams: readonly number[],
  onShare: (share: number) => void,
): Promise<Reply[]> {
  const { config } = engine.opened;
  const { steering, temperature = 0, topP = 1, seed = 42 } = options;
  const stops = new Set(options.stop);
  const draws = streams.map((stream) => new Random(seed, `reply ${stream}`));
  const tokens: number[][] = sequences.map(() => []);
  const stopped = sequences.map(() => false);
  const cache = `generate${batches++}`;
  const keep: Record<string, string> = {};
  const pastFeeds: Record<string, Feeds[string]> = {};
  for (let l = 0; l < engine.model.layers; l++)
    for (const [kind, input] of [
      ["key", `pastKey${l}`],
      ["value", `pastValue${l}`],
    ] as const) {
      keep[`${kind}${l}`] = `${cache}.${kind}${l}`;
      pastFeeds[input] = { resident: `${cache}.${kind}${l}` };
    }
  const wanted = temperature > 0 ? ["logits"] : ["greedy"];
  const take = (result: Record<string, TensorData>) => {
    sequences.forEach((_, k) => {
      if (stopped[k]) return;
      const next =
        temperature > 0
          ? sampleToken(row(result.logits!, k), { temperature, topP }, draws[k]!.uniform())
          : Number((result.greedy!.data as BigInt64Array)[k]);
      tokens[k]!.push(next);
      stopped[k] = stops.has(next);
    });
  };

  try {
    if (options.maxTokens > 0) {
      const strips: Strip[] = sequences.map(({ prompt }) => ({
        ids: prompt,
        start: 0,
        readout: Int32Array.of(prompt.length - 1),
      }));
      const layer = steering?.layer ?? null;
      const first = await engine.program(`generate first ${layer}`, () =>
        generateProgram(engine.opened, { steerLayer: layer, past: false }),
      );
      const feeds = layoutFeeds(config, strips);
      const steer = steering ? engine.steeringFeeds(sequences, strips, steering) : {};
      take(await first.run({ ...feeds, ...steer }, { outputs: wanted, keep }));
      engine.cost.forwardTokens += rowCount(strips);
    }
    const later = steering?.afterPrompt ? steering : undefined;
    const step = await engine.program(`generate next ${later?.layer ?? null}`, () =>
      generateProgram(engine.opened, { steerLayer: later?.layer ?? null, past: true }),
    );
    const longest = Math.max(...sequences.map(({ prompt }) => prompt.length));
    for (let made = 1; made < options.maxTokens && stopped.some((done) => !done); made++) {
      options.signal?.throwIfAborted();
      onShare(made / options.maxTokens);
      // Finished sequences go on with a token nobody reads: the cache stays one block.
      const strips: Strip[] = sequences.map(({ prompt }, k) => ({
        ids: Int32Array.of(tokens[k]!.at(-1)!),
        start: prompt.length + made - 1,
        readout: Int32Array.of(0),
      }));
      const past = sequences.map(({ prompt }) =>
        Float32Array.from({ length: longest + made - 1 }, (_, i) =>
          i < longest ? (i < prompt.length ? i : NEVER) : prompt.length + i - longest,
        ),
      );
      const withPast = { ...layoutFeeds(config, strips, past), ...pastFeeds, pastRow: everyRow(sequences.length) };
      const steer = later ? engine.steeringFeeds(sequences, strips, later) : {};
      take(await step.run({ ...withPast, ...steer }, { outputs: wanted, keep }));
      engine.cost.forwardTokens += sequences.length;
    }
  } finally {
    await engine.runtime.drop(Object.values(keep));
  }
  return tokens.map((made, k) => ({ tokens: Int32Array.from(made), stopped: stopped[k]! }));
}

function everyRow(count: number): TensorData {
  return { type: "int32", data: Int32Array.from({ length: count }, (_, i) => i), dims: [count] };
}

function row({ data, dims }: TensorData, k: number): Float32Array {
  const width = dims[1]!;
  return (data as Float32Array).subarray(k * width, (k + 1) * width);
}
