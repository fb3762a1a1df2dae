/**
 * `sweep`: `find` or `audit` over a grid of flags, each point a process of its own. A point's results are a file of the output folder, named by its
 * command line: the same command goes on after an interruption, and shards on several machines may share the folder.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { InputError } from "../../formats/input-error.js";
import { writeFileAtomic } from "../../store/atomic-write.js";
import { openFile } from "../../store/node-file-source.js";
import { ExitCode } from "../exit.js";
import type { Io } from "../io.js";
import { jsonOption, type OutputFlags } from "../options.js";
import { PACKAGE_ROOT } from "../package-files.js";
import { pointText, readSweep, type Sweep, type SweepPoint } from "../sweep-file.js";
import { auditOutcome, bestOutcome, findOutcome, type SweepOutcome } from "../sweep-outcome.js";
import { duration, oneLine, rateText, table } from "../text.js";

interface Flags extends OutputFlags {
  readonly out?: string;
  readonly shard?: Shard;
}

/** The i-th of n shards, from 1. */
interface Shard {
  readonly i: number;
  readonly n: number;
}

/** A point's file. */
interface StoredPoint {
  readonly args: readonly string[];
  readonly seconds: number;
  /** The command's own JSON. */
  readonly result: unknown;
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
    .option("--out <folder>", "results, one file a point; default: sweeps/ and the file's name")
    .option("--shard <i/n>", "compute the i-th of n parts of the grid alone, from 1", shard);
  return jsonOption(command).action((file: string, flags: Flags) => sweep(io, file, flags));
}

async function sweep(io: Io, file: string, { json, out, shard }: Flags): Promise<void> {
  const { command, points } = await readSweep(await openFile(file));
  const folder = out ?? join("sweeps", basename(file, extname(file)));
  const mine = points.filter((_, i) => shard === undefined || i % shard.n === shard.i - 1);
  const missing = mine.filter((point) => !existsSync(fileOf(folder, point)));
  const errors = new Map<string, string>();
  const progress = io.progress("points");
  for (const [done, point] of missing.entries()) {
    io.log(`point ${mine.length - missing.length + done + 1} of ${mine.length}: ${pointText(point.values)}`);
    const error = await compute(io, command, point, folder);
    if (error !== null) {
      errors.set(point.id, error);
      io.log(error);
    }
    progress(done + 1, missing.length);
  }
  if (missing.length > 0 && errors.size === mine.length)
    throw new InputError(`${file}: no point could be computed; the first: ${errors.get(mine[0]!.id)}`);
  const rows = await Promise.all(points.map((point) => rowOf(command, point, folder, errors.get(point.id) ?? null)));
  const best = bestOutcome(rows.map(({ outcome }) => outcome));
  io.result(
    json,
    () => ({ file, command, out: folder, points: rows, best }),
    () => `${sweepText(rows, best)}\n\nevery point's results: ${folder}`,
  );
}

const fileOf = (folder: string, { id }: SweepPoint) => join(folder, `${id}.json`);

/** Runs one point and keeps its results; what it said where it failed. */
async function compute(io: Io, command: Sweep["command"], point: SweepPoint, folder: string): Promise<string | null> {
  const started = performance.now();
  const args = [...point.args, ...(command === "audit" ? ["--out", join(folder, point.id)] : []), "--json"];
  const { code, stdout, stderr } = await run(io, args);
  if (code === ExitCode.interrupted) io.signal.throwIfAborted();
  if (code !== ExitCode.done) return stderr.trim().split("\n").at(-1) ?? `exit ${code}`;
  const stored: StoredPoint = {
    args: point.args,
    seconds: (performance.now() - started) / 1000,
    result: JSON.parse(stdout),
  };
  await writeFileAtomic(fileOf(folder, point), JSON.stringify(stored));
  return null;
}

/** The program once more. Its progress is shown as this one's; a Ctrl-C reaches it from the terminal, or from here. */
function run(io: Io, args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(PACKAGE_ROOT, "bin/antecedent.js"), ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    const stop = () => child.kill("SIGTERM");
    io.signal.addEventListener("abort", stop, { once: true });
    child.stdout.on("data", (data: Buffer) => stdout.push(data));
    child.stderr.on("data", (data: Buffer) => stderr.push(data));
    child.on("error", reject);
    child.on("close", (code) => {
      io.signal.removeEventListener("abort", stop);
      const text = (parts: readonly Buffer[]) => Buffer.concat(parts).toString("utf8");
      resolve({ code: code ?? ExitCode.interrupted, stdout: text(stdout), stderr: text(stderr) });
    });
    if (io.signal.aborted) stop();
  });
}

async function rowOf(command: Sweep["command"], point: SweepPoint, folder: string, error: string | null): Promise<Row> {
  const file = fileOf(folder, point);
  const { values } = point;
  if (!existsSync(file)) return { values, file, seconds: null, outcome: null, error };
  let stored: StoredPoint;
  try {
    stored = JSON.parse(await readFile(file, "utf8")) as StoredPoint;
    const outcome = command === "find" ? findOutcome(stored.result as never) : auditOutcome(stored.result as never);
    return { values, file, seconds: stored.seconds, outcome, error: null };
  } catch {
    throw new InputError(`${file}: is no result of this sweep; delete it and the point is computed again`);
  }
}

function sweepText(rows: readonly Row[], best: number | null): string {
  const names = Object.keys(rows[0]?.values ?? {});
  const cells = rows.map(({ values, seconds, outcome, error }, i) => [
    ...names.map((name) => `${values[name]}`),
    outcome?.loss ? `${outcome.loss.initial.toFixed(3)} → ${outcome.loss.final.toFixed(3)}` : "",
    outcome?.rate ? `${rateText(outcome.rate)}${i === best ? " *" : ""}` : "",
    seconds === null ? "" : duration(seconds),
    oneLine(outcome?.found ?? error ?? "not computed", FOUND_WIDTH),
  ]);
  return table([...names, "loss", "action", "took", "found"], cells);
}

function shard(text: string): Shard {
  const [i, n] = text.split("/").map(Number);
  if (!/^\d+\/\d+$/.test(text) || !(i! >= 1 && i! <= n!))
    throw new InvalidArgumentError(`${text} is none of n parts; give the second of four as 2/4`);
  return { i: i!, n: n! };
}
