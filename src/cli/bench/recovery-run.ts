/** Does pieces of the recovery benchmark's work: one model is opened at a time, and all that is asked of it is asked once. */
import { exactAction } from "../../audit/ask/action.js";
import { type AuditContext, DEFAULT_AUDIT_OPTIONS } from "../../audit/ask/context.js";
import { Laboratory } from "../../audit/ask/laboratory.js";
import { audit } from "../../audit/pipeline.js";
import { corpusFor } from "../../organisms/recovery/corpora.js";
import { type CleanRow, type RecoveryRow, rowOf } from "../../organisms/recovery/results.js";
import { type Examiner, prepareExamination } from "../../organisms/recovery/sealed.js";
import { Station } from "../../organisms/recovery/station.js";
import { kindOf } from "../../organisms/recovery/truth.js";
import { actionTokens } from "../action/action.js";
import { type AuditSetup, setUpAudit, withAnswers } from "../audit/audit-setup.js";
import { MemoryAnswers } from "../model/memory-answers.js";
import { POCKET_MODEL } from "../model/open-model.js";
import type { Io } from "../terminal/io.js";
import type { ModelFlags } from "../terminal/options.js";
import { stageCalls } from "../terminal/stage-calls.js";
import { requireTrained } from "./recovery-organisms.js";
import { WorkProgress } from "./recovery-progress.js";
import {
  type AnswerWork,
  CLEAN_MODEL,
  type CleanWork,
  kindOfWork,
  type RecoveryWork,
  type Work,
} from "./recovery-work.js";

const TRAINING = "training";

/** Does `todo` and keeps each result in the work's journal. Organisms that are not trained are trained into `folder`. */
export async function doRecoveryWork(
  io: Io,
  work: RecoveryWork,
  todo: readonly Work[],
  folder: string,
  flags: ModelFlags,
): Promise<void> {
  const { organisms } = work.plan;
  const groups = new Map<string, Work[]>();
  for (const one of todo) {
    const key = `${one.type} ${one.subject}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  const untrained = new Set(
    todo.flatMap(({ subject }) => (subject === null || work.trained(subject) ? [] : [subject])),
  );
  const progress = new WorkProgress(io, [...todo.map(kindOfWork), ...[...untrained].map(() => TRAINING)]);
  for (const row of work.rows()) progress.learn(row.method, row.seconds);
  for (const row of work.cleanRows()) progress.learn(CLEAN_MODEL, row.seconds);

  for (const group of groups.values()) {
    const [first] = group;
    if (first === undefined) continue;
    const { subject } = first;
    const organism = subject === null ? undefined : organisms[subject]!;
    if (organism && subject !== null && !work.trained(subject)) {
      const started = performance.now();
      work.setTrained(subject, await requireTrained(io, organism, folder, flags));
      progress.done(TRAINING, (performance.now() - started) / 1000, `trained ${organism.recipe.name}`);
    }
    const { action } = organisms[first.type === "clean" ? first.action : first.subject]!.recipe;
    const adapter = subject === null ? undefined : work.trained(subject)!.adapter;
    const setup = await setUpAudit(
      io,
      { model: POCKET_MODEL, action, ...(adapter === undefined ? {} : { adapter }) },
      flags,
    );
    try {
      const bench = new Bench(io, work, setup, progress);
      await bench.answer(group.filter((one) => one.type === "answer"));
      await bench.audit(group.filter((one) => one.type === "clean"));
    } finally {
      await setup.model.engine.close();
    }
  }
}

/** One opened model with what it has answered. */
class Bench {
  readonly #context: AuditContext;

  constructor(
    private readonly io: Io,
    private readonly work: RecoveryWork,
    private readonly setup: AuditSetup,
    private readonly progress: WorkProgress,
  ) {
    this.#context = withAnswers(new MemoryAnswers(), setup);
  }

  /** Answers of methods about one organism. */
  async answer(todo: readonly AnswerWork[]): Promise<void> {
    const [first] = todo;
    if (first === undefined) return;
    const { recipe, trigger } = this.work.plan.organisms[first.subject]!;
    const examiner = this.#examiner();
    const examination = await prepareExamination(trigger, examiner);
    let station: Station | undefined;
    let at: AnswerWork | undefined;
    for (const one of todo) {
      const { corpus, seed, method } = one;
      if (station === undefined || at?.corpus !== corpus || at.seed !== seed) {
        const prompts = await corpusFor(corpus, trigger, this.#context.corpus, (some) => examiner.acts(some));
        const calls = stageCalls(this.io, `${recipe.name}, ${corpus}, seed ${seed}`);
        station = new Station({ ...this.#context, corpus: prompts }, { ...DEFAULT_AUDIT_OPTIONS, seed }, calls);
        at = one;
      }
      const started = performance.now();
      const replies = await method.answer(station);
      const seconds = (performance.now() - started) / 1000;
      const place = { organism: recipe.name, kind: kindOf(trigger), corpus, method: method.name, seed };
      const rows = replies.map((reply) => rowOf(place, reply, examination, seconds));
      this.work.addRows(one, rows);
      this.progress.done(method.name, seconds, rows.map(rowText).join(" · "));
    }
  }

  /** Audits for actions that the model was not trained to say. */
  async audit(todo: readonly CleanWork[]): Promise<void> {
    for (const one of todo) {
      const { subject, seed } = one;
      const { organisms } = this.work.plan;
      const { action } = organisms[one.action]!.recipe;
      const model = subject === null ? CLEAN_MODEL : organisms[subject]!.recipe.name;
      const started = performance.now();
      const { trigger } = await audit(
        { ...this.#context, action: exactAction(actionTokens(this.setup.model, { action })) },
        { ...DEFAULT_AUDIT_OPTIONS, seed },
        stageCalls(this.io, `${model}, seed ${seed}`),
      );
      const seconds = (performance.now() - started) / 1000;
      const row: CleanRow = { model, action, seed, claim: trigger?.statement ?? null, seconds };
      this.work.addClean(one, row);
      this.progress.done(CLEAN_MODEL, seconds, cleanText(row));
    }
  }

  /** Reads and tries sealed prompts on the model. */
  #examiner(): Examiner {
    const laboratory = new Laboratory(this.#context, { signal: this.io.signal });
    return {
      read: (prompts) => laboratory.read(prompts),
      acts: async (prompts) => (await laboratory.score(prompts)).map(({ fired }) => fired),
    };
  }
}

function rowText({ organism, corpus, method, reading, seed, recovered, score, statement }: RecoveryRow): string {
  const outcome = recovered ? "recovered" : statement === null ? "no answer" : "not recovered";
  const area = score === null ? "" : `, AUROC ${score.auroc.toFixed(3)}`;
  return `${organism}, ${corpus}, ${method} (${reading}), seed ${seed}: ${outcome}${area}`;
}

function cleanText({ model, action, seed, claim }: CleanRow): string {
  return `${model}, "${action}", seed ${seed}: ${claim === null ? "no trigger" : `false claim: ${claim}`}`;
}
