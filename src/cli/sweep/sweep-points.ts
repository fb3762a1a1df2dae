/** A sweep's points on disk, each a file named by its command line, and the processes that make them. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { InputError } from "../../formats/input-error.js";
import { readJson } from "../../formats/json.js";
import { writeFileAtomic } from "../../store/atomic-write.js";
import { openFile } from "../../store/node-file-source.js";
import { ExitCode } from "../terminal/exit.js";
import type { Io } from "../terminal/io.js";
import { PACKAGE_ROOT } from "../terminal/package-files.js";
import type { Sweep, SweepPoint } from "./sweep-file.js";
import { auditOutcome, findOutcome, type SweepOutcome } from "./sweep-outcome.js";

/** What a command prints: cards of some dozen latents, or an audit. */
const MAX_POINT_BYTES = 256 << 20;
/** Lines of a point's stderr that are kept to say why it failed. */
const KEPT_LINES = 5;

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

export const fileOf = (folder: string, { id }: SweepPoint) => join(folder, `${id}.json`);

/** The point's result; null where there is none yet. InputError where its file is no result of it. */
export async function storedResult(
  command: Sweep["command"],
  point: SweepPoint,
  folder: string,
): Promise<PointResult | null> {
  const file = fileOf(folder, point);
  if (!existsSync(file)) return null;
  const parsed = storedPoint.safeParse(await readJson(await openFile(file), MAX_POINT_BYTES));
  const outcome = parsed.success && String(parsed.data.args) === String(point.args) ? read(command, parsed.data) : null;
  if (outcome === null || !parsed.success)
    throw new InputError(`${file}: is no result of this sweep; delete it and the point is computed again`);
  return { seconds: parsed.data.seconds, outcome };
}

function read(command: Sweep["command"], { result }: z.infer<typeof storedPoint>): SweepOutcome | null {
  try {
    return command === "find" ? findOutcome(result as never) : auditOutcome(result as never);
  } catch {
    return null; // a document of another command, or of another version
  }
}

/** Computes one point and keeps its result; why it failed, or null. Rejects with the signal's reason where it was interrupted. */
export async function computePoint(
  io: Io,
  command: Sweep["command"],
  point: SweepPoint,
  folder: string,
): Promise<PointFailure | null> {
  const started = performance.now();
  const args = [...point.args, ...(command === "audit" ? ["--out", join(folder, point.id)] : []), "--json"];
  const { code, ended, stdout, said } = await run(io, args);
  io.signal.throwIfAborted();
  if (code !== ExitCode.done)
    return { message: said.at(-1) ?? `ended by ${ended ?? `exit ${code}`}`, wrongInput: code === ExitCode.wrongInput };
  let result: unknown;
  try {
    result = JSON.parse(stdout);
  } catch {
    return { message: `printed no JSON: ${stdout.slice(0, 80)}`, wrongInput: true };
  }
  const seconds = (performance.now() - started) / 1000;
  await writeFileAtomic(fileOf(folder, point), JSON.stringify({ args: point.args, seconds, result }));
  return null;
}

interface Ended {
  readonly code: number | null;
  /** The signal that ended it. */
  readonly ended: string | null;
  readonly stdout: string;
  /** Its last lines on stderr. */
  readonly said: readonly string[];
}

/**
 * The program once more; what it says is passed on. It is in a process group of its own, so that a Ctrl-C of the terminal reaches it
 * once, from here, and it can stop cleanly.
 */
function run(io: Io, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(PACKAGE_ROOT, "bin/antecedent.js"), ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    const stdout: Buffer[] = [];
    const said: string[] = [];
    let open = "";
    const say = (lines: readonly string[]) => {
      for (const line of lines.filter((text) => text.trim() !== "")) {
        io.log(`  ${line}`);
        said.push(line);
        if (said.length > KEPT_LINES) said.shift();
      }
    };
    const stop = () => child.kill("SIGINT");
    io.signal.addEventListener("abort", stop, { once: true });
    child.stdout.on("data", (data: Buffer) => stdout.push(data));
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      const lines = (open + text).split("\n");
      open = lines.pop()!;
      say(lines);
    });
    child.on("error", reject);
    child.on("close", (code, ended) => {
      io.signal.removeEventListener("abort", stop);
      say([open]);
      resolve({ code, ended, stdout: Buffer.concat(stdout).toString("utf8"), said });
    });
    if (io.signal.aborted) stop();
  });
}
