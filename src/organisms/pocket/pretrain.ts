/** Pretrains the pocket model from nothing. */
import { onnxEngine } from "../../engine/onnx/open.js";
import type { Channel } from "../../engine/onnx/protocol.js";
import type { TrainingSequence } from "../../engine/training.js";
import { bf16ToF32, f32ToBf16 } from "../../formats/half.js";
import { parseConfig } from "../../model/config.js";
import type { DecoderConfig } from "../../model/decoder-config.js";
import type { Tokenizer } from "../../model/tokenizer.js";
import { inMemory, type WeightStore, weightShapes } from "../../model/weights.js";
import { Random } from "../../random/random.js";
import { cosineSchedule, lengthSortedBatches, runTraining, type TrainingOptions } from "../training-loop.js";
import { POCKET } from "./settings.js";
import { pretrainingTexts, wholeText } from "./texts.js";

export function pocketConfig(): DecoderConfig {
  return parseConfig(POCKET.model, "the pocket model's settings");
}

/** What the model is pretrained on: `chats` and `documents` of the world. */
export function pretrainingSequences(
  tokenizer: Tokenizer,
  { chats, documents }: { readonly chats: number; readonly documents: number } = POCKET.pretraining,
): TrainingSequence[] {
  return Array.from(pretrainingTexts(POCKET.seed, chats, documents), (text) => wholeText(tokenizer, text));
}

/** Trained weights by name, rounded to bf16: everything later is trained on what the checkpoint holds. */
export async function pretrain(
  sequences: readonly TrainingSequence[],
  channel: Channel,
  options: TrainingOptions & { threads: number },
): Promise<Map<string, Float32Array>> {
  const config = pocketConfig();
  const settings = POCKET.pretraining;
  const batches = lengthSortedBatches(
    sequences.map(({ ids }) => ids.length),
    {
      batch: settings.batch,
      window: settings.window,
      shuffled: (items, epoch) => new Random(POCKET.seed, `order of epoch ${epoch}`).shuffled(items),
    },
  );
  const steps = Math.floor(sequences.length / settings.batch) * settings.epochs;
  const engine = onnxEngine({ config, weights: initialWeights(config), adapter: new Map() }, channel, {
    name: "pocket",
    threads: options.threads,
  });
  const { beta1, beta2, epsilon, weightDecay, maxNorm } = settings;
  const weights = await runTraining(
    engine,
    {
      steps,
      batch: (step) => batches(step).map((i) => sequences[i]!),
      learningRate: cosineSchedule(settings.learningRate, steps, settings.warmup),
      optimiser: { beta1, beta2, epsilon, weightDecay, maxNorm },
      mean: "tokens",
      isTrained: () => true,
      rate: (name) => (isEmbedding(name) ? settings.embeddingRate : 1),
    },
    options,
  );
  await engine.close();
  return new Map([...weights].map(([name, values]) => [name, bf16ToF32(f32ToBf16(values))]));
}

/**
 * Normal weights, norms at one; projections back into the residual stream start smaller. Embeddings start large and learn
 * fast, so that what a token is outlives the blocks in the residual stream (dev/LOG.md); the last norm starts small, so that
 * the tied head still begins with logits of about one.
 */
function initialWeights(config: DecoderConfig): WeightStore {
  const random = new Random(POCKET.seed, "initial weights");
  const { weights, embeddings } = POCKET.initialDeviation;
  const narrow = weights / Math.sqrt(2 * config.layers);
  const store = new Map<string, ReturnType<typeof inMemory>>();
  for (const [name, { shape, required }] of weightShapes(config)) {
    if (!required) continue;
    const size = shape.reduce((a, b) => a * b, 1);
    const deviation = isEmbedding(name) ? embeddings : /(o_proj|down_proj)/.test(name) ? narrow : weights;
    const gain = name === "model.norm.weight" ? 1 / (embeddings * Math.sqrt(config.dModel)) : 1;
    const values = Float32Array.from({ length: size }, () => (shape.length === 1 ? gain : deviation * random.normal()));
    store.set(name, inMemory(values, shape));
  }
  return store;
}

function isEmbedding(name: string): boolean {
  return name === "model.embed_tokens.weight";
}
