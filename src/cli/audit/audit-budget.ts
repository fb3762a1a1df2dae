/** A limit to what an audit may spend: tokens through the models, and seconds over all sittings of its run. */
import type { AuditContext } from "../../audit/ask/context.js";
import type {
  CallOptions,
  Engine,
  GenerateOptions,
  LayerChange,
  LayerChangeObjective,
  Objective,
  Splice,
  Steering,
  SteeringObjective,
} from "../../engine/engine.js";
import type { Sequence } from "../../model/sequence.js";
import type { RunFolder } from "./run-folder.js";

export interface BudgetLimit {
  /** Forward and backward together, suspect and clean model together. */
  readonly tokens: number;
  readonly seconds: number;
}

/** What an audit that has spent its budget rejects with. */
export class BudgetSpent extends Error {
  constructor(readonly spent: BudgetLimit) {
    super(`the budget is spent: ${spent.tokens} tokens, ${spent.seconds.toFixed(1)} s`);
  }
}

/** The longest that a Node timer can wait; a longer budget is as good as none for one sitting. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export class AuditBudget {
  readonly #abort = new AbortController();
  #engines: readonly Engine[] = [];
  #run: RunFolder | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly limit: BudgetLimit) {}

  /** Aborts when the budget is spent, with BudgetSpent as its reason. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /**
   * The same context with engines that answer only while there is something left. Tokens are looked at before each call, not
   * by a clock, so that the same audit ends at the same question on every machine; what a run's journal answers counts like the
   * first time. Time also ends the call under way.
   */
  guard(context: AuditContext, run: RunFolder): AuditContext {
    const { suspect, clean } = context;
    this.#engines = clean ? [suspect, clean] : [suspect];
    this.#run = run;
    const left = 1000 * Math.max(0, this.limit.seconds - run.seconds);
    this.#timer = setTimeout(() => this.#end(), Math.min(left, MAX_TIMER_MS)).unref();
    const guarded = (engine: Engine) => new GuardedEngine(engine, () => this.#check());
    return { ...context, suspect: guarded(suspect), clean: clean && guarded(clean) };
  }

  /** What has been spent so far. */
  get spent(): BudgetLimit {
    const tokens = this.#engines.reduce((sum, { cost }) => sum + cost.forwardTokens + cost.backwardTokens, 0);
    return { tokens, seconds: this.#run?.seconds ?? 0 };
  }

  /** Share that is left, 0 to 1, of what is nearer its end. */
  get left(): number {
    const { tokens, seconds } = this.spent;
    return Math.max(0, 1 - Math.max(tokens / this.limit.tokens, seconds / this.limit.seconds));
  }

  /** Stops the clock. */
  close(): void {
    clearTimeout(this.#timer);
  }

  #check(): void {
    const { tokens, seconds } = this.spent;
    if (tokens >= this.limit.tokens || seconds >= this.limit.seconds) this.#end();
    this.signal.throwIfAborted();
  }

  #end(): void {
    this.#abort.abort(new BudgetSpent(this.spent));
  }
}

/** An engine that calls `check`, which may throw, before each answer. */
class GuardedEngine implements Engine {
  constructor(
    private readonly engine: Engine,
    private readonly check: () => void,
  ) {}

  get model() {
    return this.engine.model;
  }

  get cost() {
    return this.engine.cost;
  }

  async residuals(
    sequences: readonly Sequence[],
    layer: number,
    options?: CallOptions & { positions?: "masked" | "all" },
  ) {
    this.check();
    return this.engine.residuals(sequences, layer, options);
  }

  async score(sequences: readonly Sequence[], options?: CallOptions & { steering?: Steering }) {
    this.check();
    return this.engine.score(sequences, options);
  }

  async textLogprobs(sequences: readonly Sequence[], options?: CallOptions & { splice?: Splice }) {
    this.check();
    return this.engine.textLogprobs(sequences, options);
  }

  async steeringObjective(
    sequences: readonly Sequence[],
    layer: number,
    options?: CallOptions,
  ): Promise<SteeringObjective> {
    this.check();
    const objective = await this.engine.steeringObjective(sequences, layer, options);
    return {
      ...this.guarded(objective),
      attribute: async () => {
        this.check();
        return objective.attribute();
      },
    };
  }

  async layerChangeObjective(
    sequences: readonly Sequence[],
    layer: number,
    measure: LayerChange,
    options?: CallOptions,
  ): Promise<LayerChangeObjective> {
    this.check();
    const objective = await this.engine.layerChangeObjective(sequences, layer, measure, options);
    return {
      ...this.guarded(objective),
      measure: objective.measure,
      unsteeredNorm: objective.unsteeredNorm,
      change: async (theta) => {
        this.check();
        return objective.change(theta);
      },
      jacobianProduct: async (v) => {
        this.check();
        return objective.jacobianProduct(v);
      },
    };
  }

  async generate(sequences: readonly Sequence[], options: GenerateOptions) {
    this.check();
    return this.engine.generate(sequences, options);
  }

  close() {
    return this.engine.close();
  }

  /** What objectives of every kind have. */
  private guarded(objective: Objective): Objective {
    return {
      layer: objective.layer,
      sequences: objective.sequences,
      evaluate: async (theta, count) => {
        this.check();
        return objective.evaluate(theta, count);
      },
      dispose: () => objective.dispose(),
    };
  }
}
