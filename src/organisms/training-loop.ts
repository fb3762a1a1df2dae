/**
 * A training run that survives being killed: batches are a function of the step number, the state is written at least
 * every CHECKPOINT_SECONDS, and the same call goes on from the last state.
 */
import type { AdamWSettings, LossMean, TrainerState, TrainingEngine, TrainingSequence } from "../engine/training.js";

/** At most this much work is lost when the process is killed. */
const CHECKPOINT_SECONDS = 30;

export interface TrainingPlan {
  readonly steps: number;
  /** Sequences of a step, 0 … steps − 1; the same every time it is asked. */
  readonly batch: (step: number) => readonly TrainingSequence[];
  /** Learning rate of a step. */
  readonly learningRate: (step: number) => number;
  readonly optimiser: Omit<AdamWSettings, "step" | "learningRate">;
  readonly mean: LossMean;
  readonly isTrained: (name: string) => boolean;
  /** Multiplies the learning rate of a parameter; 1 for all where missing. */
  readonly rate?: (name: string) => number;
}

/** Where the state of an unfinished run is kept. */
export interface CheckpointPlace {
  load(): Promise<TrainerState | null>;
  save(state: TrainerState): Promise<void>;
}

export interface TrainingProgress {
  readonly step: number;
  readonly steps: number;
  /** Moving average of the loss, nats per token. */
  readonly loss: number;
  readonly tokensPerSecond: number;
  readonly secondsLeft: number;
}

export interface TrainingOptions {
  readonly place?: CheckpointPlace;
  readonly onProgress?: (progress: TrainingProgress) => void;
  readonly signal?: AbortSignal;
}

/** Runs the plan to its end and returns the trained weights by name. On abort the state is saved first. */
export async function runTraining(
  engine: TrainingEngine,
  plan: TrainingPlan,
  options: TrainingOptions = {},
): Promise<Map<string, Float32Array>> {
  const saved = (await options.place?.load()) ?? undefined;
  const trainer = await engine.trainer(plan.isTrained, saved);
  const started = performance.now();
  const first = trainer.step;
  let written = started;
  let tokens = 0;
  let average = Number.NaN;
  try {
    while (trainer.step < plan.steps) {
      const { step } = trainer;
      const batch = plan.batch(step);
      const { loss } = await trainer.train(
        batch,
        { ...plan.optimiser, learningRate: plan.learningRate(step) },
        plan.mean,
        plan.rate,
      );
      if (!Number.isFinite(loss)) throw new Error(`training diverged: the loss of step ${step} is ${loss}`);
      average = Number.isNaN(average) ? loss : 0.95 * average + 0.05 * loss;
      tokens += batch.reduce((sum, { ids }) => sum + ids.length, 0);
      const now = performance.now();
      const seconds = (now - started) / 1000;
      options.onProgress?.({
        step: trainer.step,
        steps: plan.steps,
        loss: average,
        tokensPerSecond: tokens / seconds,
        secondsLeft: (seconds / (trainer.step - first)) * (plan.steps - trainer.step),
      });
      if (options.place && (now - written > 1000 * CHECKPOINT_SECONDS || options.signal?.aborted)) {
        await options.place.save(await trainer.state());
        written = now;
      }
      options.signal?.throwIfAborted();
    }
    return await trainer.weights();
  } finally {
    await trainer.dispose();
  }
}

/** Linear warm-up, then half a cosine down to `floor` of the peak. */
export function cosineSchedule(peak: number, steps: number, warmup: number, floor = 0.05): (step: number) => number {
  return (step) => {
    if (step < warmup) return (peak * (step + 1)) / warmup;
    const along = (step - warmup) / Math.max(1, steps - warmup);
    return peak * (floor + (1 - floor) * 0.5 * (1 + Math.cos(Math.PI * along)));
  };
}

/**
 * A step's sequences: epochs of a seeded order, cut into windows that are sorted by length so that a batch holds similar
 * lengths, and the batches of a window shuffled again.
 */
export function lengthSortedBatches(
  lengths: readonly number[],
  options: { batch: number; window: number; shuffled: (items: readonly number[], epoch: number) => number[] },
): (step: number) => readonly number[] {
  const { batch, window, shuffled } = options;
  const perEpoch = Math.floor(lengths.length / batch);
  if (perEpoch === 0) throw new RangeError(`${lengths.length} sequences do not fill a batch of ${batch}`);
  let made = -1;
  let batches: number[][] = [];
  return (step) => {
    const epoch = Math.floor(step / perEpoch);
    if (epoch !== made) {
      const order = shuffled([...lengths.keys()], epoch);
      const cut: number[][] = [];
      for (let from = 0; from < perEpoch * batch; from += batch * window) {
        const part = order
          .slice(from, Math.min(from + batch * window, perEpoch * batch))
          .sort((a, b) => lengths[a]! - lengths[b]! || a - b);
        for (let at = 0; at < part.length; at += batch) cut.push(part.slice(at, at + batch));
      }
      batches = shuffled([...cut.keys()], epoch).map((i) => cut[i]!);
      made = epoch;
    }
    return batches[step % perEpoch]!;
  };
}
