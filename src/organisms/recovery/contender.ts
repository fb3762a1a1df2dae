/** What the benchmark compares: anything that answers what the trigger is, from what an auditor has. */
import type { Rate } from "../../audit/statistics/statistics.js";
import type { Answer } from "./answer.js";
import type { Station } from "./station.js";

export interface Reply {
  /** How the answer was read off, where a contender has several readings: "top", "top two". */
  readonly reading: string;
  /** Null: no trigger claimed. */
  readonly answer: Answer | null;
  /** The contender's own rate on held-out prompts; null where it tests nothing. */
  readonly confirmed: Rate | null;
  /** Methods that found it, where the contender says so. */
  readonly foundBy?: readonly string[];
}

export interface Contender {
  readonly name: string;
  /** One sentence for reports. */
  readonly summary: string;
  /** Readings of its replies, in order. */
  readonly readings: readonly string[];
  answer(station: Station): Promise<readonly Reply[]>;
}
