/** What found vectors do: each is added to prompts that it was not made for. */
import type { Action } from "../../audit/ask/action.js";
import { textOf } from "../../formats/prompts.js";
import type { OpenedModel } from "../model/open-model.js";
import type { Io } from "../terminal/io.js";
import type { FindPrompts } from "./find-prompts.js";
import { meanResidualNorm, type Steered, SteeringTrial } from "./steered.js";

export interface TriedVector extends Steered {
  /** Whether none of the prompts was searched over. */
  readonly heldOut: boolean;
}

/** The action's rate and some replies under each vector, in their order. */
export async function tryVectors(
  io: Io,
  model: OpenedModel,
  { trial, heldOut }: Pick<FindPrompts, "trial" | "heldOut">,
  vectors: readonly { readonly vector: Float32Array; readonly norm: number }[],
  how: {
    readonly layer: number;
    /** Null where none was given. */
    readonly action: Action | null;
    /** Whether the vectors are gradients of a loss. */
    readonly gradients: boolean;
    /** Replies shown for each vector. */
    readonly samples: number;
    /** Whether the vector is also added to what follows the prompt. */
    readonly afterPrompt?: boolean;
  },
): Promise<TriedVector[]> {
  const { layer, action, gradients, samples, afterPrompt = false } = how;
  const prompts = trial.sequences.map((sequence, i) => ({
    sequence,
    text: textOf(trial.conversations[i] ?? []),
  }));
  const steering = new SteeringTrial(model, prompts, action, samples, io);
  // A gradient points away from the action and has no size of its own: it is tried backwards, as large as the residual stream.
  const size = gradients ? await meanResidualNorm(model, trial.sequences, layer, io.signal) : 0;
  const tried: TriedVector[] = [];
  for (const { vector, norm } of vectors) {
    const scale = gradients ? -size / (norm || 1) : 1;
    tried.push({ ...(await steering.run({ layer, vector, scale, afterPrompt })), heldOut });
  }
  return tried;
}
