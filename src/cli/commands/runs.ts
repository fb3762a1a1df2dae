/** `runs`: what audits have left in their run folders. */
import { Command } from "commander";
import { InputError } from "../../formats/input-error.js";
import { writeFileAtomic } from "../../store/atomic-write.js";
import { auditText } from "../audit/audit-text.js";
import { bestRuns, differingSettings, runsCsv } from "../runs/compare-runs.js";
import { findRuns, notFinished, type RunRow, requireRun } from "../runs/run-row.js";
import type { Io } from "../terminal/io.js";
import { jsonOption, type OutputFlags, outputPath, required } from "../terminal/options.js";
import { duration, endOfLine, oneLine, rateText, table } from "../terminal/text.js";

const FOLDER = "runs";
/** Characters of a trigger and of a setting in a table. */
const TRIGGER_WIDTH = 70;
const SETTING_WIDTH = 40;

export function runsCommand(io: Io): Command {
  return new Command("runs")
    .description("audits' run folders: list, show, compare, the best of each question, export")
    .addCommand(listCommand(io))
    .addCommand(showCommand(io))
    .addCommand(compareCommand(io))
    .addCommand(bestCommand(io))
    .addCommand(exportCommand(io));
}

function listCommand(io: Io): Command {
  const command = new Command("list")
    .description("every run in a folder, the newest first")
    .argument("[folder]", "where run folders lie", FOLDER);
  return jsonOption(command).action(async (folder: string, flags: OutputFlags) => {
    const runs = await findRuns(folder);
    io.result(
      flags.json,
      () => ({ runs }),
      () => (runs.length === 0 ? `no run folders in ${folder}` : rowsText(runs)),
    );
  });
}

function showCommand(io: Io): Command {
  const command = new Command("show").description("a finished run, as its audit printed it").argument("<run>");
  return jsonOption(command).action(async (run: string, flags: OutputFlags) => {
    const { audit, ...row } = await requireRun(run);
    if (audit === null) throw notFinished(run);
    io.result(
      flags.json,
      () => ({ ...row, audit }),
      () => auditText({ ...audit, run }),
    );
  });
}

function compareCommand(io: Io): Command {
  const command = new Command("compare")
    .description("runs side by side, with the settings in which they differ")
    .argument("<runs...>", "two run folders or more");
  return jsonOption(command).action(async (folders: readonly string[], flags: OutputFlags) => {
    if (folders.length < 2) throw new InputError(`runs compare: ${folders.length} run given; give two or more`);
    const rows: RunRow[] = [];
    for (const folder of folders) {
      const { audit: _, ...row } = await requireRun(folder);
      rows.push(row);
    }
    const differ = differingSettings(rows);
    io.result(
      flags.json,
      () => ({ runs: rows, differ }),
      () => `${rowsText(rows)}\n\n${differText(rows, differ)}`,
    );
  });
}

function bestCommand(io: Io): Command {
  const command = new Command("best")
    .description("of each model, adapter and action the run whose trigger has the highest lower bound of its rate")
    .argument("[folder]", "where run folders lie", FOLDER);
  return jsonOption(command).action(async (folder: string, flags: OutputFlags) => {
    const best = bestRuns(await findRuns(folder));
    io.result(
      flags.json,
      () => ({ best }),
      () => (best.length === 0 ? `no run in ${folder} has found a trigger` : rowsText(best)),
    );
  });
}

function exportCommand(io: Io): Command {
  const command = new Command("export")
    .description("every run in a folder as a line of a table")
    .argument("[folder]", "where run folders lie", FOLDER)
    .option("--out <file>", "a .csv or .jsonl file", outputPath);
  return jsonOption(command).action(async (folder: string, flags: OutputFlags & { readonly out?: string }) => {
    const out = required(flags.out, "--out", "a .csv or .jsonl file");
    const isCsv = out.endsWith(".csv");
    if (!isCsv && !out.endsWith(".jsonl"))
      throw new InputError(`--out ${out}: give a name that ends in .csv or .jsonl`);
    const runs = await findRuns(folder);
    await writeFileAtomic(out, isCsv ? runsCsv(runs) : runs.map((row) => `${JSON.stringify(row)}\n`).join(""));
    io.result(
      flags.json,
      () => ({ file: out, runs: runs.length }),
      () => `${runs.length} runs in ${out}`,
    );
  });
}

function rowsText(rows: readonly RunRow[]): string {
  return table(
    ["run", "state", "when (UTC)", "took", "action rate", "trigger"],
    rows.map(({ run, state, time, rate, parts, seconds }) => [
      lastPart(run),
      state,
      time.slice(0, 16).replace("T", " "),
      seconds === null ? "–" : duration(seconds),
      rate === null ? "–" : rateText(rate),
      state === "done" ? oneLine(parts.join(" · ") || "none found", TRIGGER_WIDTH) : "–",
    ]),
  );
}

/** A path by its end, where runs differ. */
const lastPart = (path: string): string => endOfLine(path, SETTING_WIDTH);

function differText(rows: readonly RunRow[], differ: ReturnType<typeof differingSettings>): string {
  const entries = Object.entries(differ);
  if (entries.length === 0) return "their settings are the same";
  return table(
    ["setting", ...rows.map((_, i) => `run ${i + 1}`)],
    entries.map(([name, values]) => [name, ...values.map((value) => (value === null ? "–" : lastPart(String(value))))]),
  );
}
