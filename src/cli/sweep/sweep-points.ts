/** A sweep's points: their results as they are stored, and the processes that make them. */
import { join } from "node:path";
import { z } from "zod";
import { InputError } from "../../formats/input-error.js";
import { ExitCode } from "../terminal/exit.js";
import type { Io } from "../terminal/io.js";
import { isComplaint, runProgram, whyFailed } from "../terminal/program-process.js";
import { fileOf, type PointStore } from "./point-store.js";
import type { Sweep, SweepPoint } from "./sweep-file.js";
import { auditOutcome, findOutcome, type SweepOutcome } from "./sweep-outcome.js";

const storedPoint = z.object({ args: z.array(z.string()), seconds: z.number(), result: z.unknown() });

export interface PointResult {
  readonly seconds: number;
  readonly outcome: SweepOutcome;
}

/** Why a point could not be computed: what it said, and whether its input was wrong. */
export interface PointFailure {
  readonly message: string;
  readonly wrongInput: boolean;
}

/** The point's result; null where there is none yet. InputError where its file is no result of it. */
export async function storedResult(
  command: Sweep["command"],
  point: SweepPoint,
  folder: string,
  store: PointStore,
): Promise<PointResult | null> {
  const document = await store.read(point);
  if (document === undefined) return null;
  const parsed = storedPoint.safeParse(document);
  const outcome = parsed.success && String(parsed.data.args) === String(point.args) ? read(command, parsed.data) : null;
  if (outcome === null || !parsed.success)
    throw new InputError(
      `${fileOf(folder, point)}: is no result of this sweep; delete it and the point is computed again`,
    );
  return { seconds: parsed.data.seconds, outcome };
}

function read(command: Sweep["command"], { result }: z.infer<typeof storedPoint>): SweepOutcome | null {
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
  folder: string,
  store: PointStore,
): Promise<PointFailure | null> {
  const started = performance.now();
  const args = [...point.args, ...(command === "audit" ? ["--out", join(folder, point.id)] : []), "--json"];
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
  await store.write(point, JSON.stringify({ args: point.args, seconds, result }));
  return null;
}
