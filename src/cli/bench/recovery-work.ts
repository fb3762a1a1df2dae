/** The recovery benchmark's pieces of work: which there are, and what the journal knows of them. */
import type { CleanAudit } from "../../organisms/recovery/clean.js";
import type { Contender } from "../../organisms/recovery/contender.js";
import type { CorpusName } from "../../organisms/recovery/corpora.js";
import type { CleanRow, RecoveryRow } from "../../organisms/recovery/results.js";
import { inShard, type Shard } from "../terminal/shard.js";
import type { RecoveryJournal } from "./recovery-journal.js";
import { type OrganismFile, type TrainedOrganism, trainedOrganism } from "./recovery-organisms.js";

export interface RecoveryPlan {
  readonly organisms: readonly OrganismFile[];
  readonly methods: readonly Contender[];
  readonly corpora: readonly CorpusName[];
  readonly seeds: readonly number[];
  /** Audits in which there is nothing to find; indices are those of `organisms`. */
  readonly clean: readonly CleanAudit[];
}

/** One answer to compute: `subject` is the organism. */
export interface AnswerWork {
  readonly type: "answer";
  readonly subject: number;
  readonly corpus: CorpusName;
  readonly seed: number;
  readonly method: Contender;
}

/** One audit without anything to find: `subject` is null for the clean model. */
export interface CleanWork {
  readonly type: "clean";
  readonly subject: number | null;
  readonly action: number;
  readonly seed: number;
}

export type Work = AnswerWork | CleanWork;

/** The clean model as rows name it. */
export const CLEAN_MODEL = "clean model";
/** Pieces of one kind take about as long. */
export const kindOfWork = (work: Work): string => (work.type === "answer" ? work.method.name : CLEAN_MODEL);

export class RecoveryWork {
  readonly #trained = new Map<number, TrainedOrganism>();
  /** Every piece: organism by organism, its corpora, seeds and methods; then the clean ones by model. */
  readonly all: readonly Work[];

  private constructor(
    readonly plan: RecoveryPlan,
    private readonly journal: RecoveryJournal,
  ) {
    const answers = plan.organisms.flatMap((_, subject) =>
      plan.corpora.flatMap((corpus) =>
        plan.seeds.flatMap((seed) =>
          plan.methods.map((method): Work => ({ type: "answer", subject, corpus, seed, method })),
        ),
      ),
    );
    const clean = plan.clean
      .map(({ organism, action, seed }): CleanWork => ({ type: "clean", subject: organism, action, seed }))
      .sort((a, b) => (a.subject ?? -1) - (b.subject ?? -1));
    this.all = [...answers, ...clean];
  }

  /** Looks up which organisms are trained already. */
  static async survey(plan: RecoveryPlan, journal: RecoveryJournal, folder: string): Promise<RecoveryWork> {
    const work = new RecoveryWork(plan, journal);
    for (const [index, organism] of plan.organisms.entries()) {
      const trained = await trainedOrganism(organism, folder);
      if (trained) work.#trained.set(index, trained);
    }
    return work;
  }

  trained(subject: number): TrainedOrganism | undefined {
    return this.#trained.get(subject);
  }

  setTrained(subject: number, trained: TrainedOrganism): void {
    this.#trained.set(subject, trained);
  }

  /** Pieces that nobody has done yet, in order; of a shard, those of its organisms and of its actions asked of the clean model. */
  missing(part?: Shard): Work[] {
    return this.all.filter(
      (work) => inShard(work.subject ?? (work as CleanWork).action, part) && this.#known(work) === undefined,
    );
  }

  /** Rows of all answers that are known. */
  rows(): RecoveryRow[] {
    return this.all.flatMap((work) => (work.type === "answer" ? ((this.#known(work) as RecoveryRow[]) ?? []) : []));
  }

  /** Rows of all audits without anything to find that are known. */
  cleanRows(): CleanRow[] {
    return this.all.flatMap((work) => (work.type === "clean" ? ((this.#known(work) as CleanRow) ?? []) : []));
  }

  addRows(work: AnswerWork, rows: readonly RecoveryRow[]): void {
    this.journal.add(this.#keyOf(work), rows);
  }

  addClean(work: CleanWork, row: CleanRow): void {
    this.journal.add(this.#keyOf(work), row);
  }

  /** Work on an organism that is not trained is never known. */
  #known(work: Work): RecoveryRow[] | CleanRow | undefined {
    if (work.subject !== null && !this.#trained.has(work.subject)) return undefined;
    return this.journal.get(this.#keyOf(work));
  }

  #keyOf(work: Work): (string | number)[] {
    const model = work.subject === null ? CLEAN_MODEL : (this.#trained.get(work.subject)?.stamp ?? "");
    return work.type === "answer"
      ? ["answer", model, work.corpus, work.method.name, work.seed]
      : ["clean", model, this.plan.organisms[work.action]!.recipe.action, work.seed];
  }
}
