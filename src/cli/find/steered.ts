/** What a found vector does: the action's rate under it and a few replies beside the unsteered ones. */
import type { Action } from "../../audit/ask/action.js";
import { type Rate, rateOfFlags } from "../../audit/statistics/statistics.js";
import type { Steering } from "../../engine/engine.js";
import type { Sequence } from "../../model/sequence.js";
import type { OpenedModel } from "../model/open-model.js";
import type { Io } from "../terminal/io.js";

/** Longest sample reply. */
const SAMPLE_TOKENS = 48;

export interface Sample {
  readonly prompt: string;
  readonly unsteered: string;
  readonly steered: string;
}

export interface Steered {
  /** Null where no action was given. */
  readonly actionRate: Rate | null;
  /** Factor of the vector. */
  readonly scale: number;
  readonly samples: readonly Sample[];
}

/** A prompt to try vectors on: as the user wrote it, and as tokens. */
export interface TrialPrompt {
  readonly text: string;
  readonly sequence: Sequence;
}

/** Tries vectors on the same prompts; unsteered replies are made once. */
export class SteeringTrial {
  #unsteered: string[] | undefined;

  constructor(
    private readonly model: OpenedModel,
    private readonly prompts: readonly TrialPrompt[],
    /** Null where none was given. */
    private readonly action: Action | null,
    private readonly samples: number,
    private readonly io: Pick<Io, "progress" | "signal">,
  ) {}

  async run(steering: Steering & { readonly scale: number }): Promise<Steered> {
    const { engine } = this.model;
    const sequences = this.prompts.map(({ sequence }) => sequence);
    const call = { steering, signal: this.io.signal, onProgress: this.io.progress("steering prompts") };
    const outcomes = this.action && (await this.action.outcomes(engine, sequences, call));
    this.#unsteered ??= await this.replies();
    const steered = await this.replies(steering);
    return {
      actionRate: outcomes && rateOfFlags(outcomes.map(({ fired }) => fired)),
      scale: steering.scale,
      samples: steered.map((text, i) => ({
        prompt: this.prompts[i]?.text ?? "",
        unsteered: this.#unsteered?.[i] ?? "",
        steered: text,
      })),
    };
  }

  private async replies(steering?: Steering): Promise<string[]> {
    const sequences = this.prompts.slice(0, this.samples).map(({ sequence }) => sequence);
    if (sequences.length === 0) return [];
    const { engine, endIds, tokenizer } = this.model;
    const replies = await engine.generate(sequences, {
      maxTokens: SAMPLE_TOKENS,
      stop: endIds,
      signal: this.io.signal,
      onProgress: this.io.progress(steering ? "steered replies" : "replies without steering"),
      ...(steering ? { steering } : {}),
    });
    return replies.map(({ tokens }) => tokenizer.decode(tokens, { skipSpecial: true }));
  }
}

/** Mean norm of the residual stream at the masked tokens: the size at which a bare direction is tried. */
export async function meanResidualNorm(
  { engine }: OpenedModel,
  sequences: readonly Sequence[],
  layer: number,
  signal: AbortSignal,
): Promise<number> {
  const residuals = await engine.residuals(sequences, layer, { signal });
  const width = engine.model.dModel;
  let sum = 0;
  let rows = 0;
  for (const { values } of residuals)
    for (let at = 0; at < values.length; at += width, rows++)
      sum += Math.sqrt(values.subarray(at, at + width).reduce((total, x) => total + x * x, 0));
  return rows === 0 ? 0 : sum / rows;
}
