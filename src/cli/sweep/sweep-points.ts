/** A sweep's points: their results as they are stored, and the processes that make them. */
import { join } from "node:path";
import { ExitCode } from "../terminal/exit.js";
import type { Io } from "../terminal/io.js";
import { isComplaint, runProgram, whyFailed } from "../terminal/program-process.js";
import { fileOf, noResult, type PointStore, type StoredPoint } from "./point-store.js";
import type { Sweep, SweepPoint } from "./sweep-file.js";
import { auditOutcome, findOutcome, type SweepOutcome } from "./sweep-outcome.js";

export interface PointResult {
  readonly seconds: number;
  readonly outcome: SweepOutcome;
}

/** Why a point could not be computed: what it said, and whether its input was wrong. */
export interface PointFailure {
  readonly message: string;
  readonly wrongInput: boolean;
}

/** The point's result; null where there is none yet. InputError where what is kept of it is no result. */
export async function storedResult(
  command: Sweep["command"],
  point: SweepPoint,
  store: PointStore,
): Promise<PointResult | null> {
  const stored = await store.read(point);
  if (stored === undefined) return null;
  const outcome = read(command, stored);
  if (outcome === null) throw noResult(`${fileOf(store.folder, point)}:`);
  return { seconds: stored.seconds, outcome };
}

function read(command: Sweep["command"], { result }: StoredPoint): SweepOutcome | null {
  try {
    return command === "find" ? findOutcome(result as never) : auditOutcome(result as never);
  } catch {
    return null; // a document of another command, or of another version
  }
}

/**
 * Computes one point and keeps its result; why it failed, or null. Rejects with the signal's reason where it was interrupted. `say` hears what
 * the point's process says, but for why its input is wrong.
 */
export async function computePoint(
  { signal }: Pick<Io, "signal">,
  say: (line: string) => void,
  command: Sweep["command"],
  point: SweepPoint,
  store: PointStore,
): Promise<PointFailure | null> {
  const started = performance.now();
  const args = [...point.args, ...(command === "audit" ? ["--out", join(store.folder, point.id)] : []), "--json"];
  const ended = await runProgram(args, signal, (line) => {
    if (!isComplaint(line)) say(`  ${line}`);
  });
  signal.throwIfAborted();
  const { code, stdout } = ended;
  if (code !== ExitCode.done) return { message: whyFailed(ended), wrongInput: code === ExitCode.wrongInput };
  let result: unknown;
  try {
    result = JSON.parse(stdout);
  } catch {
    return { message: `printed no JSON: ${stdout.slice(0, 80)}`, wrongInput: true };
  }
  const seconds = (performance.now() - started) / 1000;
  await store.write(point, { args: [...point.args], seconds, result });
  return null;
}
