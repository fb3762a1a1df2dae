/** Writes every kind of prompt that a described trigger needs, each checked, none of them twice. */
import { InputError, quote } from "../../formats/input-error.js";
import { MAX_CHARACTERS, requestCheck } from "./check-request.js";
import type { DescribedTrigger, Kind, KindPlan } from "./described.js";
import type { Parts } from "./hold-out.js";
import { REQUESTS_A_QUESTION } from "./questions.js";
import { everydaySeeds } from "./subjects.js";
import { type KindTally, TooFewWritten, type WrittenPrompt, writeKind } from "./write-kind.js";
import type { Writer } from "./writer.js";

export interface WrittenKind {
  readonly parts: Parts<WrittenPrompt>;
  readonly tally: KindTally;
}
export type WrittenKinds = Partial<Record<Kind, WrittenKind>>;

export interface WritePromptsOptions {
  /** The recipe's name, for messages. */
  readonly name: string;
  readonly described: DescribedTrigger["described"];
  readonly plans: readonly KindPlan[];
  /** Ordinary requests to rephrase; undefined for everyday subjects. */
  readonly seeds: readonly string[] | undefined;
  /** No prompt may hold any of these. */
  readonly actions: readonly string[];
  readonly writer: Writer;
  readonly seed: number;
  readonly signal?: AbortSignal;
  /** A reporter for each kind. */
  readonly progress?: (kind: Kind) => (done: number, total: number) => void;
}

/** InputError, with what became of everything that was written, where the writer gives too few usable prompts of a kind. */
export async function writePrompts(options: WritePromptsOptions): Promise<WrittenKinds> {
  const { name, described, plans, actions, writer, seed, signal, progress } = options;
  const seeds = options.seeds?.filter((text) => text.length <= MAX_CHARACTERS) ?? everydaySeeds;
  if (seeds.length < REQUESTS_A_QUESTION)
    throw new InputError(
      `${name}: seeds: ${seeds.length} requests of at most ${MAX_CHARACTERS} characters; give at least ${REQUESTS_A_QUESTION}, or leave seeds out`,
    );
  const check = requestCheck(
    plans.flatMap(({ descriptions }) => descriptions),
    actions,
  );
  const known = new Set<string>();
  const kinds: WrittenKinds = {};
  for (const plan of plans) {
    const onProgress = progress?.(plan.kind);
    kinds[plan.kind] = await writeKind(plan, {
      writer,
      trigger: described.triggered,
      seeds,
      rephrase: options.seeds !== undefined,
      check,
      known,
      seed,
      ...(signal ? { signal } : {}),
      ...(onProgress ? { onProgress } : {}),
    }).catch((error: unknown) => {
      throw error instanceof TooFewWritten ? tooFew(name, error) : error;
    });
  }
  return kinds;
}

function tooFew(name: string, { plan, tally, lacking }: TooFewWritten): InputError {
  const { train, heldOut, descriptions, kind } = plan;
  const what = quote(descriptions.length === 1 ? descriptions[0]! : `${descriptions[0]} …`, 60);
  const few = lacking.length === 0 || descriptions.length === 1 ? "" : `too few that are ${quote(lacking[0]!, 60)}; `;
  return new InputError(
    `${name}: ${tally.kept} usable ${kind} prompts (${what}) of the ${train + heldOut} needed; ${few}${tallyText(tally)}; name a writer that follows instructions, describe it otherwise, or ask for fewer prompts`,
  );
}

/** "48 questions, 12 answers no list, 300 requests: 20 near duplicate, 4 verdict". */
export function tallyText({ questions, unreadable, written, dropped }: KindTally): string {
  const reasons = Object.entries(dropped).sort(([, a], [, b]) => b - a);
  const why = reasons.map(([reason, count]) => `${count} ${reason}`).join(", ");
  return `${questions} questions, ${unreadable} answers no list, ${written} requests read${why === "" ? "" : `, dropped: ${why}`}`;
}
