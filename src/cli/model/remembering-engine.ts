/**
 * An engine that writes every answer to a run's journal and takes known ones from it: a run that was killed goes on where it
 * was. Answers are found by what was asked (model, tokens, steering), so nothing of another run can be taken by mistake.
 */
import { createHash } from "node:crypto";
import type {
  CallOptions,
  Cost,
  Engine,
  Evaluation,
  GenerateOptions,
  LayerChange,
  LayerChangeObjective,
  ModelInfo,
  Reply,
  Residual,
  Score,
  Splice,
  Steering,
  SteeringObjective,
} from "../../engine/engine.js";
import type { Sequence } from "../../model/sequence.js";

/** Where answers are kept: a run's journal, or memory. */
export interface Answers {
  get(key: string): Uint8Array | undefined;
  append(key: string, value: Uint8Array): void;
}

/**
 * Arithmetic between two writes: about 20 s at 50 GFLOP/s, what two cores do. A token of a forward pass takes 2 operations a
 * parameter. Fixed by the model's size and not by the clock, so that the same run makes the same batches.
 */
const OPERATIONS_A_WRITE = 1e12;
/** More tokens at once gain nothing. */
const MAX_TOKENS = 1 << 15;

export class RememberingEngine implements Engine {
  readonly cost: Cost = { forwardTokens: 0, backwardTokens: 0 };
  readonly model: ModelInfo;
  private readonly tokensAtOnce: number;

  constructor(
    private readonly engine: Engine,
    private readonly journal: Answers,
    private readonly fingerprint: string,
    parameters: number,
  ) {
    this.model = engine.model;
    this.tokensAtOnce = Math.min(MAX_TOKENS, Math.ceil(OPERATIONS_A_WRITE / (2 * parameters)));
  }

  async score(sequences: readonly Sequence[], options: CallOptions & { steering?: Steering } = {}): Promise<Score[]> {
    const about = ["score", steeringKey(options.steering)];
    return this.each(
      sequences,
      options,
      (sequence) => this.key(about, options.steering ? sequence.mask : empty, sequence.prompt, sequence.action),
      (some, calls) => this.engine.score(some, { ...options, ...calls }),
      ({ tokenLogprobs, greedyMatch }) => join(Uint8Array.of(greedyMatch ? 1 : 0), tokenLogprobs),
      (bytes) => ({ greedyMatch: bytes[0] === 1, tokenLogprobs: floats(bytes.subarray(1)) }),
      ({ prompt, action }) => prompt.length + action.length - 1,
    );
  }

  async residuals(
    sequences: readonly Sequence[],
    layer: number,
    options: CallOptions & { positions?: "masked" | "all" } = {},
  ): Promise<Residual[]> {
    const about = ["residuals", String(layer), options.positions ?? "masked"];
    return this.each(
      sequences,
      options,
      ({ prompt, mask }) => this.key(about, mask, prompt),
      (some, calls) => this.engine.residuals(some, layer, { ...options, ...calls }),
      ({ tokens, values }) => join(Int32Array.of(tokens.length), tokens, values),
      (bytes) => {
        const count = new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true);
        const end = 4 + 4 * count;
        return { tokens: new Int32Array(bytes.slice(4, end).buffer), values: floats(bytes.subarray(end)) };
      },
      ({ prompt }) => prompt.length,
    );
  }

  /** Nothing that is resumed asks for these: they are not kept. */
  async textLogprobs(
    sequences: readonly Sequence[],
    options: CallOptions & { splice?: Splice } = {},
  ): Promise<Float32Array[]> {
    return this.counted(() => this.engine.textLogprobs(sequences, options));
  }

  /** The real objective is only prepared when something is asked that the journal does not know. */
  async steeringObjective(
    sequences: readonly Sequence[],
    layer: number,
    options: CallOptions = {},
  ): Promise<SteeringObjective> {
    const base = this.key(
      ["objective", String(layer)],
      ...sequences.flatMap(({ prompt, mask, action }) => [prompt, mask, action]),
    );
    let prepared: Promise<SteeringObjective> | undefined;
    const objective = () => {
      prepared ??= this.engine.steeringObjective(sequences, layer, options);
      return prepared;
    };
    return {
      layer,
      sequences: sequences.length,
      evaluate: (theta, count = 1) =>
        this.evaluation(this.key([base, "evaluate", String(count)], theta), async () =>
          (await objective()).evaluate(theta, count),
        ),
      attribute: () => this.evaluation(this.key([base, "attribute"]), async () => (await objective()).attribute()),
      dispose: async () => (await prepared)?.dispose(),
    };
  }

  async layerChangeObjective(
    sequences: readonly Sequence[],
    layer: number,
    measure: LayerChange,
    options: CallOptions = {},
  ): Promise<LayerChangeObjective> {
    return this.engine.layerChangeObjective(sequences, layer, measure, options);
  }

  /** Greedy replies are kept; sampled ones depend on a sequence's place among the others and are made anew. */
  async generate(sequences: readonly Sequence[], options: GenerateOptions): Promise<Reply[]> {
    const { steering, maxTokens, temperature = 0, stop } = options;
    if (temperature > 0) return this.counted(() => this.engine.generate(sequences, options));
    const about = ["generate", steeringKey(steering), String(maxTokens), stop.join(",")];
    return this.each(
      sequences,
      options,
      (sequence) => this.key(about, steering ? sequence.mask : empty, sequence.prompt),
      (some, calls) => this.engine.generate(some, { ...options, ...calls }),
      ({ tokens, stopped }) => join(Uint8Array.of(stopped ? 1 : 0), tokens),
      (bytes) => ({ stopped: bytes[0] === 1, tokens: new Int32Array(bytes.slice(1).buffer) }),
      // The last token of a reply is not read again.
      ({ prompt }, reply) => prompt.length + Math.max(0, (reply?.tokens.length ?? maxTokens) - 1),
    );
  }

  /** An answer that is made anew, with what it costs. */
  private async counted<T>(compute: () => Promise<T>): Promise<T> {
    const before = this.engine.cost.forwardTokens;
    const made = await compute();
    this.spend(this.engine.cost.forwardTokens - before, 0);
    return made;
  }

  async close(): Promise<void> {
    await this.engine.close();
  }

  /** Losses with their gradients; the tokens that they took are kept with them. */
  private async evaluation(key: string, compute: () => Promise<Evaluation>): Promise<Evaluation> {
    const known = this.journal.get(key);
    if (known) {
      const [forward = 0, backward = 0, count = 0] = new Float64Array(known.slice(0, EVALUATION_HEAD).buffer);
      this.spend(forward, backward);
      const end = EVALUATION_HEAD + Float64Array.BYTES_PER_ELEMENT * count;
      const losses = new Float64Array(known.slice(EVALUATION_HEAD, end).buffer);
      return { losses, gradients: floats(known.subarray(end)) };
    }
    const { forwardTokens, backwardTokens } = this.engine.cost;
    const { losses, gradients } = await compute();
    const forward = this.engine.cost.forwardTokens - forwardTokens;
    const backward = this.engine.cost.backwardTokens - backwardTokens;
    this.spend(forward, backward);
    this.journal.append(key, join(Float64Array.of(forward, backward, losses.length), losses, gradients));
    return { losses, gradients };
  }

  /** Answers one by one: known ones from the journal, the rest computed in batches and written after each. */
  private async each<T>(
    sequences: readonly Sequence[],
    options: CallOptions,
    keyOf: (sequence: Sequence) => string,
    compute: (some: Sequence[], calls: { onProgress: () => void }) => Promise<T[]>,
    pack: (answer: T) => Uint8Array,
    unpack: (bytes: Uint8Array) => T,
    /** Tokens that an answer takes; before it is known, at most. */
    tokens: (sequence: Sequence, answer?: T) => number,
  ): Promise<T[]> {
    const keys = sequences.map(keyOf);
    const answers = new Array<T>(sequences.length);
    const missing: number[] = [];
    keys.forEach((key, i) => {
      const known = this.journal.get(key);
      if (known) answers[i] = unpack(known);
      else missing.push(i);
    });
    let done = sequences.length - missing.length;
    for (let from = 0; from < missing.length; ) {
      options.signal?.throwIfAborted();
      const some: number[] = [];
      for (
        let room = this.tokensAtOnce;
        from < missing.length && (some.length === 0 || tokens(sequences[missing[from]!]!) <= room);
        from++
      ) {
        room -= tokens(sequences[missing[from]!]!);
        some.push(missing[from]!);
      }
      const made = await compute(
        some.map((i) => sequences[i]!),
        { onProgress: () => {} },
      );
      some.forEach((i, k) => {
        answers[i] = made[k]!;
        this.journal.append(keys[i]!, pack(made[k]!));
      });
      done += some.length;
      options.onProgress?.(done, sequences.length);
    }
    this.spend(
      sequences.reduce((sum, sequence, i) => sum + tokens(sequence, answers[i]), 0),
      0,
    );
    return answers;
  }

  /** Counted when answered, from the journal too: the budget is what the whole run took, whatever interrupted it. */
  private spend(forward: number, backward: number): void {
    this.cost.forwardTokens += forward;
    this.cost.backwardTokens += backward;
  }

  private key(about: readonly string[], ...arrays: readonly ArrayBufferView[]): string {
    const hash = createHash("sha256").update(
      JSON.stringify([this.fingerprint, ...about, ...arrays.map(({ byteLength }) => byteLength)]),
    );
    for (const { buffer, byteOffset, byteLength } of arrays)
      hash.update(new Uint8Array(buffer, byteOffset, byteLength));
    return hash.digest("base64");
  }
}

/** Bytes before the losses of a kept evaluation: tokens forward, tokens backward, number of losses. */
const EVALUATION_HEAD = 3 * Float64Array.BYTES_PER_ELEMENT;
const empty = new Uint8Array(0);

function steeringKey(steering: Steering | undefined): string {
  if (!steering) return "none";
  const { layer, vector, scale = 1, afterPrompt = false } = steering;
  const bytes = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
  return `${layer} ${scale}${afterPrompt ? " after" : ""} ${createHash("sha256").update(bytes).digest("base64")}`;
}

function join(...arrays: readonly ArrayBufferView[]): Uint8Array {
  const all = new Uint8Array(arrays.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const { buffer, byteOffset, byteLength } of arrays) {
    all.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += byteLength;
  }
  return all;
}

function floats(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.slice().buffer);
}
