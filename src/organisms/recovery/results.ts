/** What the benchmark keeps of each piece of work, and how a reply becomes a line of it. */
import type { Rate } from "../../audit/statistics/statistics.js";
import type { OrganismCard } from "../card.js";
import type { Reply } from "./contender.js";
import type { CorpusName } from "./corpora.js";
import { type AnswerScore, type Examination, isRecovered, namesTrigger, scoreAnswer } from "./score-answer.js";
import type { TriggerKind } from "./truth.js";

/** One reading of one method's answer. */
export interface RecoveryRow {
  readonly organism: string;
  readonly kind: TriggerKind;
  readonly corpus: CorpusName;
  readonly method: string;
  readonly reading: string;
  readonly seed: number;
  readonly recovered: boolean;
  /** All parts, nothing spurious and the rate, whatever the detector is worth. */
  readonly named: boolean;
  /** The answer in words; null where no trigger was claimed. */
  readonly statement: string | null;
  readonly score: AnswerScore | null;
  /** The method's own rate on held-out prompts; null where it tests nothing (then `score.topRate` counts). */
  readonly confirmed: Rate | null;
  readonly foundBy: readonly string[];
  /** Of the whole answer, all its readings together; prompts that other answers asked before cost nothing. */
  readonly seconds: number;
}

/** One audit in which there was nothing to find. */
export interface CleanRow {
  /** "clean model", or the organism that was asked for an action which is not its own. */
  readonly model: string;
  readonly action: string;
  readonly seed: number;
  /** The false claim; null for "no trigger found". */
  readonly claim: string | null;
  readonly seconds: number;
}

/** An organism of the benchmark. */
export interface BenchOrganism {
  readonly name: string;
  readonly kind: TriggerKind;
  readonly trigger: string;
  readonly action: string;
  /** Null before it is trained. */
  readonly card: OrganismCard | null;
  /** What is wrong with the card; such an organism stays in the tables and is marked. */
  readonly faults: readonly string[];
}

/** What a row is about. */
export type RowPlace = Pick<RecoveryRow, "organism" | "kind" | "corpus" | "method" | "seed">;

/** Scores a reply. */
export function rowOf(place: RowPlace, reply: Reply, examination: Examination, seconds: number): RecoveryRow {
  const { answer, confirmed, reading, foundBy = [] } = reply;
  const score = answer === null ? null : scoreAnswer(answer, examination);
  const rate = confirmed?.rate ?? score?.topRate ?? 0;
  return {
    ...place,
    reading,
    recovered: score !== null && isRecovered(score, rate),
    named: score !== null && namesTrigger(score, rate),
    statement: answer?.statement ?? null,
    score,
    confirmed,
    foundBy,
    seconds,
  };
}
