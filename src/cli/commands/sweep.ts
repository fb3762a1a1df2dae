/**
 * `sweep`: `find` or `audit` over a grid of flags, each point a process of its own. A point's results are a file of the output folder, named
 * by its command line: the same command goes on after an interruption, and several processes and machines may share the folder.
 */
import { Command, CommanderError, type Option } from "commander";
import { openFile } from "../../store/node-file-source.js";
import { FolderStore, fileOf, type PointStore } from "../sweep/point-store.js";
import { type KnownFlag, readSweep, type Sweep, type SweepPoint } from "../sweep/sweep-file.js";
import { bestOutcome, type SweepOutcome } from "../sweep/sweep-outcome.js";
import { sweepFolder, throwIfSomeFailed, work } from "../sweep/work.js";
import type { Io } from "../terminal/io.js";
import { isCollected, jsonOption, type OutputFlags, outputPath } from "../terminal/options.js";
import { type Shard, shard } from "../terminal/shard.js";
import { duration, oneLine, rateText, table } from "../terminal/text.js";
import { auditCommand } from "./audit.js";
import { findCommand } from "./find.js";

export interface SweepFlags extends OutputFlags {
  readonly out?: string;
  readonly shard?: Shard;
  readonly queue?: string;
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
  const command = new Command("sweep").description(
    "`find` or `audit` over a grid of flags; the same command goes on after an interruption",
  );
  return sweepOptions(command).action((file: string, flags: SweepFlags) => sweep(io, file, flags));
}

/** What is swept, and where to. */
export function sweepOptions(command: Command): Command {
  return jsonOption(
    command
      .argument("<file>", "YAML file: command, method, flags, grid")
      .option("--out <folder>", "results, one file a point; default: sweeps/ and the file's name", outputPath)
      .option("--shard <i/n>", "compute the i-th of n parts of the grid alone, from 1", shard)
      .option(
        "--queue <url>",
        "share the points by a Redis server too, redis://host:6379/0, with machines that do not see the folder",
      ),
  );
}

/** Reads a sweep, computes what is to be computed of it, and says what it is, where it lies, and what came of it. */
export async function sit(io: Io, file: string, { out, shard: part, queue }: SweepFlags) {
  const read = await readSweep(await openFile(file), (swept) => flagsOf(io, swept));
  const own = new FolderStore(sweepFolder(file, out));
  const store = queue === undefined ? own : await openQueue(queue, own);
  try {
    return { read, folder: store.folder, sitting: await work(io, file, read, store, part) };
  } finally {
    await store.close();
  }
}

/** Its client is loaded where it is asked for: others need not wait for it. */
async function openQueue(url: string, folder: FolderStore): Promise<PointStore> {
  const { QueueStore } = await import("../sweep/queue-store.js");
  return QueueStore.open(url, folder);
}

async function sweep(io: Io, file: string, flags: SweepFlags): Promise<void> {
  const { read, folder, sitting } = await sit(io, file, flags);
  const rows = read.points.map((point): Row => {
    const { seconds = null, outcome = null } = sitting.known.get(point.id) ?? {};
    const error = sitting.failures.get(point.id)?.message ?? null;
    return { values: point.values, file: fileOf(folder, point), seconds, outcome, error };
  });
  const best = bestOutcome(rows.map(({ outcome }) => outcome));
  io.result(
    flags.json,
    () => ({ file, command: read.command, out: folder, points: rows, best }),
    () => {
      const others = sitting.elsewhere === 0 ? "" : `; ${sitting.elsewhere} points are left to others who are at them`;
      return `${sweepText(rows, best)}\n\nevery point's results: ${folder}${others}`;
    },
  );
  throwIfSomeFailed(sitting);
}

/** The flags of a command as its own definition has them. */
export function flagsOf(io: Io, command: Sweep["command"]): KnownFlag[] {
  const { options } = command === "find" ? findCommand(io) : auditCommand(io);
  return options.flatMap((option) => {
    const { long, required } = option;
    return long == null
      ? []
      : [{ name: long.slice(2), takesValue: required, repeats: isCollected(option), wrong: wrongBy(option) }];
  });
}

/** What a flag's own reader says of a value; null where it takes it. */
function wrongBy({ parseArg }: Option): (value: string) => string | null {
  return (value) => {
    try {
      parseArg?.(value, undefined);
      return null;
    } catch (error) {
      if (error instanceof CommanderError) return error.message;
      throw error;
    }
  };
}

function sweepText(rows: readonly Row[], best: number | null): string {
  const names = Object.keys(rows[0]?.values ?? {});
  const cells = rows.map(({ values, seconds, outcome, error }, i) => [
    ...names.map((name) => oneLine(String(values[name]), FOUND_WIDTH)),
    lossText(outcome),
    outcome?.rate
      ? `${rateText(outcome.rate)}${outcome.heldOut === false ? ", own prompts" : ""}${i === best ? " *" : ""}`
      : "",
    seconds === null ? "" : duration(seconds),
    oneLine(outcome?.found ?? error ?? "not computed", FOUND_WIDTH),
  ]);
  const own = rows.some(({ outcome }) => outcome?.heldOut === false);
  const legend = [
    ...(own ? ["own prompts: tried on those that it was made with, where an estimate is too high"] : []),
    ...(best === null ? [] : ["*: the highest rate, which is no estimate of its own"]),
  ];
  return [table([...names, "loss", "action", "took", "found"], cells), ...legend].join("\n");
}

/** One number where there was no step. */
function lossText(outcome: SweepOutcome | null): string {
  if (!outcome?.loss) return "";
  const [initial, final] = [outcome.loss.initial.toFixed(3), outcome.loss.final.toFixed(3)];
  return outcome.loss.initial === outcome.loss.final ? initial : `${initial} → ${final}`;
}
