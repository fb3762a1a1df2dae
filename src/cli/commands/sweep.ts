/**
 * `sweep`: `find` or `audit` over a grid of flags, each point a process of its own. A point's results are a file of the output folder, named
 * by its command line: the same command goes on after an interruption, and shards on several machines may share the folder.
 */
import { mkdirSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { Command } from "commander";
import { InputError } from "../../formats/input-error.js";
import { openFile } from "../../store/node-file-source.js";
import { refuseWriting } from "../../store/refused.js";
import { type KnownFlag, pointText, readSweep, type Sweep, type SweepPoint } from "../sweep/sweep-file.js";
import { bestOutcome, type SweepOutcome } from "../sweep/sweep-outcome.js";
import { computePoint, fileOf, type PointFailure, type PointResult, storedResult } from "../sweep/sweep-points.js";
import type { Io } from "../terminal/io.js";
import { isCollected, jsonOption, type OutputFlags, outputPath } from "../terminal/options.js";
import { inShard, type Shard, shard } from "../terminal/shard.js";
import { duration, oneLine, rateText, table } from "../terminal/text.js";
import { auditCommand } from "./audit.js";
import { findCommand } from "./find.js";

interface Flags extends OutputFlags {
  readonly out?: string;
  readonly shard?: Shard;
}

interface Row {
  readonly values: SweepPoint["values"];
  readonly file: string;
  readonly seconds: number | null;
  /** Null while nobody has computed it, and where it failed. */
  readonly outcome: SweepOutcome | null;
  readonly error: string | null;
}

const FOUND_WIDTH = 90;

export function sweepCommand(io: Io): Command {
  const command = new Command("sweep")
    .description("`find` or `audit` over a grid of flags; the same command goes on after an interruption")
    .argument("<file>", "YAML file: command, method, flags, grid")
    .option("--out <folder>", "results, one file a point; default: sweeps/ and the file's name", outputPath)
    .option("--shard <i/n>", "compute the i-th of n parts of the grid alone, from 1", shard);
  return jsonOption(command).action((file: string, flags: Flags) => sweep(io, file, flags));
}

async function sweep(io: Io, file: string, { json, out, shard: part }: Flags): Promise<void> {
  const { command, points } = await readSweep(await openFile(file), (swept) => flagsOf(io, swept));
  const folder = out ?? join("sweeps", basename(file, extname(file)));
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    refuseWriting(folder, error);
  }
  // Everything that is there is looked at before anything is computed.
  const known = new Map<string, PointResult>();
  const look = async () => {
    for (const point of points.filter(({ id }) => !known.has(id))) {
      const result = await storedResult(command, point, folder);
      if (result !== null) known.set(point.id, result);
    }
  };
  await look();
  const mine = points.filter((_, i) => inShard(i, part));
  const missing = mine.filter(({ id }) => !known.has(id));
  const failures = await computeAll(io, command, missing, folder);
  await look();

  const [first] = failures.values();
  if (
    first !== undefined &&
    failures.size === mine.length &&
    [...failures.values()].every(({ wrongInput }) => wrongInput)
  )
    throw new InputError(`${file}: no point could be computed; the first: ${first.message}`);
  const rows = points.map((point): Row => {
    const { seconds = null, outcome = null } = known.get(point.id) ?? {};
    const error = failures.get(point.id)?.message ?? null;
    return { values: point.values, file: fileOf(folder, point), seconds, outcome, error };
  });
  const best = bestOutcome(rows.map(({ outcome }) => outcome));
  io.result(
    json,
    () => ({ file, command, out: folder, points: rows, best }),
    () => `${sweepText(rows, best)}\n\nevery point's results: ${folder}`,
  );
  if (failures.size > 0) throw new Error(`${failures.size} of ${mine.length} points: the first: ${first!.message}`);
}

/** One point after the other; why some failed, by id. */
async function computeAll(
  io: Io,
  command: Sweep["command"],
  missing: readonly SweepPoint[],
  folder: string,
): Promise<Map<string, PointFailure>> {
  const failures = new Map<string, PointFailure>();
  const started = performance.now();
  for (const [done, point] of missing.entries()) {
    const each = (performance.now() - started) / 1000 / done;
    const left = done === 0 ? "" : ` (${duration(each)} each, ${duration(each * (missing.length - done))} left)`;
    io.log(`point ${done + 1} of ${missing.length}${left}: ${pointText(point.values)}`);
    const failure = await computePoint(io, command, point, folder);
    if (failure !== null) failures.set(point.id, failure);
  }
  return failures;
}

/** The flags of a command as its own definition has them. */
export function flagsOf(io: Io, command: Sweep["command"]): KnownFlag[] {
  const { options } = command === "find" ? findCommand(io) : auditCommand(io);
  return options.flatMap((option) => {
    const { long, required } = option;
    return long == null ? [] : [{ name: long.slice(2), takesValue: required, repeats: isCollected(option) }];
  });
}

function sweepText(rows: readonly Row[], best: number | null): string {
  const names = Object.keys(rows[0]?.values ?? {});
  const cells = rows.map(({ values, seconds, outcome, error }, i) => [
    ...names.map((name) => oneLine(String(values[name]), FOUND_WIDTH)),
    outcome?.loss ? `${outcome.loss.initial.toFixed(3)} → ${outcome.loss.final.toFixed(3)}` : "",
    outcome?.rate ? `${rateText(outcome.rate)}${i === best ? " *" : ""}` : "",
    seconds === null ? "" : duration(seconds),
    oneLine(outcome?.found ?? error ?? "not computed", FOUND_WIDTH),
  ]);
  const same = rows.some(({ outcome }) => outcome?.heldOut === false);
  const what = same ? "action (on the prompts that it was made with)" : "action";
  return table([...names, "loss", what, "took", "found"], cells);
}
