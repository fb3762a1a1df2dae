/** From rows to the table: recovery rates with intervals, by method, corpus and kind of trigger. */
import type { Rate } from "../../audit/statistics/statistics.js";
import { clusteredRate } from "./clustered.js";
import { CORPORA, type CorpusName } from "./corpora.js";
import type { RecoveryRow } from "./results.js";
import { TRIGGER_KINDS, type TriggerKind } from "./truth.js";

export interface TallyLine {
  readonly corpus: CorpusName;
  readonly method: string;
  readonly reading: string;
  /** Over all rows; intervals count what rows of one organism are worth together (`clustered.ts`). */
  readonly all: Rate;
  /** Over all rows, how many name the full trigger. */
  readonly named: Rate;
  /** Over the organisms that `isSound` names. */
  readonly sound: Rate;
  /** Kinds that occur, in the order of TRIGGER_KINDS. */
  readonly byKind: readonly { readonly kind: TriggerKind; readonly rate: Rate }[];
  /** Mean AUROC of the answers that were given; null where there was none. */
  readonly meanAuroc: number | null;
  /** Mean seconds of an answer. */
  readonly seconds: number;
}

/**
 * A line for what a method with several readings recovers by any of them: as if it were told which reading to believe. The
 * most that can be said for it.
 */
export const EITHER = "either";

/** One line for each corpus, method and reading that has rows, in the order of `methods` and of first appearance. */
export function tally(
  rows: readonly RecoveryRow[],
  methods: readonly string[],
  isSound: (organism: string) => boolean,
): TallyLine[] {
  return CORPORA.flatMap((corpus) =>
    methods.flatMap((method) => {
      const mine = rows.filter((row) => row.corpus === corpus && row.method === method);
      const readings = [...new Set(mine.map(({ reading }) => reading))];
      const lines = readings.map((reading) =>
        line(
          mine.filter((row) => row.reading === reading),
          { corpus, method, reading },
          isSound,
        ),
      );
      return readings.length < 2
        ? lines
        : [...lines, line(bestReadings(mine), { corpus, method, reading: EITHER }, isSound)];
    }),
  );
}

/** Of each answer the reading that recovers, else one that names the trigger, else the one with the largest AUROC. */
function bestReadings(rows: readonly RecoveryRow[]): RecoveryRow[] {
  const best = new Map<string, RecoveryRow>();
  const worth = ({ recovered, named, score }: RecoveryRow) => (recovered ? 3 : named ? 2 : (score?.auroc ?? 0));
  for (const row of rows) {
    const key = `${row.organism} ${row.seed}`;
    const known = best.get(key);
    if (known === undefined || worth(row) > worth(known)) best.set(key, row);
  }
  return [...best.values()];
}

function line(
  rows: readonly RecoveryRow[],
  place: Pick<TallyLine, "corpus" | "method" | "reading">,
  isSound: (organism: string) => boolean,
): TallyLine {
  const rate = (some: readonly RecoveryRow[]) =>
    clusteredRate(some.map(({ organism, recovered: flag }) => ({ organism, flag })));
  const areas = rows.flatMap(({ score }) => (score === null ? [] : [score.auroc]));
  return {
    ...place,
    all: rate(rows),
    named: clusteredRate(rows.map(({ organism, named: flag }) => ({ organism, flag }))),
    sound: rate(rows.filter(({ organism }) => isSound(organism))),
    byKind: TRIGGER_KINDS.flatMap((kind) => {
      const some = rows.filter((row) => row.kind === kind);
      return some.length === 0 ? [] : [{ kind, rate: rate(some) }];
    }),
    meanAuroc: areas.length === 0 ? null : mean(areas),
    seconds: mean(rows.map(({ seconds }) => seconds)),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
