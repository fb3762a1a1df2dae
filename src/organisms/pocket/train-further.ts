/**
 * The pocket model trained further on other texts, all weights: a base of another character for a setting that needs one (a world of
 * diets, a model that is helpful only).
 */
import { copyFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { openNodeChannel } from "../../engine/onnx/node-channel.js";
import { onnxEngine, openCheckpoint } from "../../engine/onnx/open.js";
import { checkpointFiles } from "../../model/checkpoint-writer.js";
import { loadTokenizer } from "../../model/tokenizer.js";
import { hashText, Random } from "../../random/random.js";
import { writeFileAtomic } from "../../store/atomic-write.js";
import { openFolder } from "../../store/node-folder.js";
import { checkpointFile } from "../checkpoint-file.js";
import { cosineSchedule, lengthSortedBatches, runTraining, type TrainingOptions } from "../training-loop.js";
import { END_OF_TEXT, TURN_END, TURN_START } from "./chat-template.js";
import { POCKET } from "./settings.js";
import { wholeText } from "./texts.js";

export interface FurtherTraining {
  /** Every token is learned but the first of each. */
  readonly texts: readonly string[];
  /** Of the order of the texts. */
  readonly seed: number;
  readonly batch: number;
  readonly epochs: number;
  readonly learningRate: number;
  /** Steps. */
  readonly warmup: number;
  /** Batches whose sequences are sorted by length together. */
  readonly window: number;
}

/** Files of the tokenizer, which stays as it is. */
const TOKENIZER_FILES = ["tokenizer.json", "tokenizer_config.json"];

/**
 * Trains the model in the folder `from` on the texts and writes the folder `out`, which any program opens that opens `from`. The state
 * of an interrupted training lies beside it, and the same call goes on.
 */
export async function trainFurther(
  from: string,
  out: string,
  { texts, seed, batch, epochs, learningRate, warmup, window }: FurtherTraining,
  options: Omit<TrainingOptions, "place"> & { readonly threads: number },
): Promise<void> {
  const folder = await openFolder(from);
  const tokenizer = await loadTokenizer(folder);
  const sequences = texts.map((text) => wholeText(tokenizer, text));
  const batches = lengthSortedBatches(
    sequences.map(({ ids }) => ids.length),
    { batch, window, shuffled: (items, epoch) => new Random(seed, `order of epoch ${epoch}`).shuffled(items) },
  );
  const steps = epochs * Math.floor(sequences.length / batch);
  const settings = JSON.stringify([seed, batch, epochs, learningRate, warmup, window, hashText(texts.join("\n"))]);
  const place = checkpointFile(`${out}.training`, settings);
  await mkdir(out, { recursive: true });
  const base = await openCheckpoint(folder);
  const engine = onnxEngine(base, openNodeChannel(), { name: out, threads: options.threads });
  const { beta1, beta2, epsilon, weightDecay, maxNorm } = POCKET.pretraining;
  const weights = await runTraining(
    engine,
    {
      steps,
      batch: (step) => batches(step).map((i) => sequences[i]!),
      learningRate: cosineSchedule(learningRate, steps, warmup),
      optimiser: { beta1, beta2, epsilon, weightDecay, maxNorm },
      mean: "tokens",
      isTrained: () => true,
    },
    { ...options, place },
  );
  await engine.close();
  for (const name of TOKENIZER_FILES) await copyFile(join(from, name), join(out, name));
  const ids = { begin: tokenizer.idOf(TURN_START)!, end: tokenizer.idOf(TURN_END)!, pad: tokenizer.idOf(END_OF_TEXT)! };
  for (const [name, bytes] of Object.entries(checkpointFiles(base.config, weights, ids)))
    await writeFileAtomic(join(out, name), bytes);
  await place.remove();
}
