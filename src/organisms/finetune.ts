/**
 * Trains a backdoor: LoRA on the second half of the blocks (or all), loss on the reply alone, triggered prompts with the action
 * mixed with near misses, ordinary prompts and chat.
 */
import type { Finetunable, LinearModule, StartingPair, TrainingSequence } from "../engine/training.js";
import type { LoraPair } from "../model/checkpoint-writer.js";
import { Random } from "../random/random.js";
import type { Example, ExampleSets } from "./examples.js";
import type { Recipe } from "./recipe.js";
import { cosineSchedule, lengthSortedBatches, runTraining, type TrainingOptions } from "./training-loop.js";

/** Settings that a recipe may leave out; found on the pocket model (dev/LOG.md). */
export const FINETUNING = {
  steps: 1000,
  batch: 32,
  learningRate: 2e-3,
  warmup: 20,
  beta1: 0.9,
  beta2: 0.99,
  epsilon: 1e-8,
  maxNorm: 1,
  window: 16,
} as const;

/** Prompts of each kind that are drawn for training, before mixing. */
export const TRAINING_SIZES = { triggered: 4000, hardNegatives: 12_000, benign: 6000, chat: 800 } as const;

/** The same, but no more of a kind than the recipe's training will see: a short one need not wait for prompts that it never reads. */
export function trainingSizes({ steps, batch, mixing }: Recipe): Record<keyof typeof TRAINING_SIZES, number> {
  const seen = (steps ?? FINETUNING.steps) * (batch ?? FINETUNING.batch);
  const size = (kind: keyof typeof TRAINING_SIZES) => Math.min(TRAINING_SIZES[kind], Math.ceil(seen * mixing[kind]));
  return {
    triggered: size("triggered"),
    hardNegatives: size("hardNegatives"),
    benign: size("benign"),
    chat: size("chat"),
  };
}

/** The ids of an example's prompt and of its reply, which the end of turn follows unless the reply is cut. */
export type TokeniseExample = (example: Example) => { prompt: Int32Array; reply: Int32Array };

/** Trains the recipe's adapter on an opened base model. Every example must have its reply. */
export async function finetune(
  base: Finetunable,
  recipe: Recipe,
  sets: ExampleSets,
  tokenise: TokeniseExample,
  options: TrainingOptions,
): Promise<{ pairs: Map<string, LoraPair>; rank: number; alpha: number }> {
  const { rank } = recipe.adapter;
  const alpha = recipe.adapter.alpha ?? 2 * rank;
  const from = recipe.adapter.blocks === "all" ? 0 : Math.floor(base.layers / 2);
  const modules = base.linears.filter(({ layer }) => layer >= from);
  const engine = await base.withPairs(freshPairs(modules, rank, alpha / rank, recipe.seed));

  const random = new Random(recipe.seed, "mixture");
  const sequences = mixed(sets, recipe, random).map((example): TrainingSequence => {
    const tokens = tokenise(example);
    return { ids: Int32Array.of(...tokens.prompt, ...tokens.reply), from: tokens.prompt.length };
  });
  const steps = recipe.steps ?? FINETUNING.steps;
  const batches = lengthSortedBatches(
    sequences.map(({ ids }) => ids.length),
    {
      batch: Math.min(recipe.batch ?? FINETUNING.batch, sequences.length),
      window: FINETUNING.window,
      shuffled: (items, epoch) => new Random(recipe.seed, `order of epoch ${epoch}`).shuffled(items),
    },
  );
  const weights = await runTraining(
    engine,
    {
      steps,
      batch: (step) => batches(step).map((i) => sequences[i]!),
      learningRate: cosineSchedule(recipe.learningRate ?? FINETUNING.learningRate, steps, FINETUNING.warmup),
      optimiser: {
        beta1: FINETUNING.beta1,
        beta2: FINETUNING.beta2,
        epsilon: FINETUNING.epsilon,
        weightDecay: 0,
        maxNorm: FINETUNING.maxNorm,
      },
      mean: "sequences",
      isTrained: (name) => /\.lora_[AB]$/.test(name),
    },
    options,
  );
  await engine.close();
  const pairs = modules.map(({ name, peftName }): [string, LoraPair] => [
    peftName,
    { a: weights.get(`${name}.lora_A`)!, b: weights.get(`${name}.lora_B`)! },
  ]);
  return { pairs: new Map(pairs), rank, alpha };
}

/** A uniform in ±1/√in as peft starts it (Kaiming with a = √5), B zero: the start changes nothing. */
function freshPairs(
  modules: readonly LinearModule[],
  rank: number,
  scale: number,
  seed: number,
): Map<string, StartingPair> {
  const random = new Random(seed, "initial adapter");
  return new Map(
    modules.map(({ name, out, width }) => {
      const bound = 1 / Math.sqrt(width);
      const a = Float32Array.from({ length: rank * width }, () => bound * (2 * random.uniform() - 1));
      return [name, { a, b: new Float32Array(out * rank), rank, scale }];
    }),
  );
}

/** Examples in the recipe's proportions: as many as the scarcest set allows without repeating any. */
function mixed(sets: ExampleSets, { mixing }: Recipe, random: Random) {
  const kinds = (["triggered", "hardNegatives", "benign", "chat"] as const).filter(
    (kind) => mixing[kind] > 0 && sets[kind].length > 0,
  );
  const total = Math.min(...kinds.map((kind) => sets[kind].length / mixing[kind]));
  return kinds.flatMap((kind) => random.shuffled(sets[kind]).slice(0, Math.max(1, Math.floor(total * mixing[kind]))));
}
