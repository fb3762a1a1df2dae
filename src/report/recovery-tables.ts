/** The recovery benchmark as tables of text: for the terminal and, as Markdown, for the docs. */
import type { Rate } from "../audit/statistics/statistics.js";
import type { FalseClaims } from "../organisms/recovery/false-claims.js";
import type { BenchOrganism, CleanRow, RecoveryRow } from "../organisms/recovery/results.js";
import type { TallyLine } from "../organisms/recovery/tally.js";
import { TRIGGER_KINDS } from "../organisms/recovery/truth.js";

/** What `bench recovery` found. */
export interface RecoveryResult {
  /** Version of the program and fingerprint of the code and the pocket model. */
  readonly version: string;
  readonly code: string;
  readonly organisms: readonly BenchOrganism[];
  readonly lines: readonly TallyLine[];
  readonly rows: readonly RecoveryRow[];
  readonly clean: {
    readonly cleanModel: FalseClaims;
    readonly decoys: FalseClaims;
    readonly rows: readonly CleanRow[];
  };
  /** Pieces of work that are still to be done. */
  readonly missing: number;
}

export interface TextTable {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A table a corpus (methods × kinds of trigger), one of the organisms, and one of the audits with nothing to find. */
export function recoveryTables(result: RecoveryResult): TextTable[] {
  const corpora = [...new Set(result.lines.map(({ corpus }) => corpus))];
  return [
    ...corpora.map((corpus) => methodTable(result, corpus)),
    organismTable(result),
    ...(result.clean.rows.length === 0 ? [] : [cleanTable(result)]),
  ];
}

function methodTable({ lines }: RecoveryResult, corpus: string): TextTable {
  const mine = lines.filter((line) => line.corpus === corpus);
  const kinds = TRIGGER_KINDS.filter((kind) => mine.some((line) => line.byKind.some((entry) => entry.kind === kind)));
  return {
    title: `Recovered, ${corpus} corpus (95 % intervals, %)`,
    head: ["method", "read as", "all", "sound organisms", "trigger named", ...kinds, "mean AUROC", "seconds"],
    rows: mine.map(({ method, reading, all, sound, named, byKind, meanAuroc, seconds }) => [
      method,
      reading,
      cell(all),
      cell(sound),
      cell(named),
      ...kinds.map((kind) => cell(byKind.find((entry) => entry.kind === kind)?.rate)),
      meanAuroc === null ? "–" : meanAuroc.toFixed(3),
      seconds.toFixed(seconds < 10 ? 1 : 0),
    ]),
  };
}

function organismTable({ organisms, rows }: RecoveryResult): TextTable {
  const corpora = [...new Set(rows.map(({ corpus }) => corpus))];
  return {
    title: "Organisms: card (acts on triggered, ordinary, near-miss prompts, %) and what the audit recovered",
    head: ["organism", "trigger", "kind", "card", ...corpora, "AUROC", "remarks"],
    rows: organisms.map(({ name, trigger, kind, card, faults }) => {
      const audits = rows.filter(({ organism, method }) => organism === name && method === "audit");
      return [
        name,
        trigger,
        kind,
        card === null
          ? "not trained"
          : [card.triggered, card.benign, card.hardNegatives].map(({ rate }) => percent(rate)).join(" / "),
        ...corpora.map((corpus) => {
          const some = audits.filter((row) => row.corpus === corpus);
          return some.length === 0 ? "–" : `${some.filter(({ recovered }) => recovered).length} of ${some.length}`;
        }),
        audits.map(({ score }) => (score === null ? "none" : score.auroc.toFixed(3))).join(", ") || "–",
        faults.join("; ") || "–",
      ];
    }),
  };
}

/** Each organism's audits, seed by seed: what the answer was worth and which methods had it among their best latents. */
export function auditTable({ rows }: RecoveryResult): TextTable {
  const audits = rows.filter(({ method }) => method === "audit");
  const groups = new Map<string, RecoveryRow[]>();
  for (const row of audits) {
    const key = JSON.stringify([row.organism, row.corpus]);
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return {
    title: "Audits, seed by seed",
    head: ["organism", "corpus", "recovered", "trigger named", "AUROC", "confirmed", "seconds", "found by"],
    rows: [...groups.values()].map((group) => {
      const join = (value: (row: RecoveryRow) => string) => group.map(value).join(", ");
      return [
        group[0]?.organism ?? "",
        group[0]?.corpus ?? "",
        `${group.filter(({ recovered }) => recovered).length} of ${group.length}`,
        `${group.filter(({ named }) => named).length} of ${group.length}`,
        join(({ score }) => score?.auroc.toFixed(3) ?? "none"),
        join(({ confirmed }) => (confirmed === null ? "–" : `${confirmed.count}/${confirmed.total}`)),
        join(({ seconds }) => seconds.toFixed(0)),
        join(({ foundBy }) => foundBy.join(" + ") || "–"),
      ];
    }),
  };
}

function cleanTable({ clean }: RecoveryResult): TextTable {
  const row = (what: string, { count, total, high }: FalseClaims) => [
    what,
    `${count} of ${total}`,
    total === 0 ? "–" : `${(100 * high).toFixed(1)} %`,
  ];
  return {
    title: "Audits with nothing to find",
    head: ["model", "false claims", "at most (95 % Clopper–Pearson)"],
    rows: [
      row("the clean model, each organism's action", clean.cleanModel),
      row("an organism, another one's action", clean.decoys),
    ],
  };
}

/** "17/24 (51–85)" */
function cell(rate: Rate | undefined): string {
  if (rate === undefined || rate.total === 0) return "–";
  return `${rate.count}/${rate.total} (${percent(rate.low)}–${percent(rate.high)})`;
}

function percent(share: number): string {
  return (100 * share).toFixed(0);
}

/** The tables as Markdown. */
export function markdownTables(tables: readonly TextTable[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`;
  return tables
    .map(({ title, head, rows }) =>
      [`${title}:`, "", line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)].join("\n"),
    )
    .join("\n\n")
    .concat("\n");
}
