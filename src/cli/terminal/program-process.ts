/** The program once more, in a process of its own. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ERROR_PREFIX } from "./io.js";
import { PACKAGE_ROOT } from "./package-files.js";

export interface Ended {
  readonly code: number | null;
  /** The signal that ended it. */
  readonly ended: string | null;
  readonly stdout: string;
  /** The last that it said on stderr. */
  readonly said: string | undefined;
}

/**
 * Runs the program with `args`; `onLine` hears what it says on stderr, a signal stops it as Ctrl-C does. It is in a process group of its
 * own, so that a Ctrl-C of the terminal reaches it once, from here, and it can stop cleanly; where this process is killed the channel
 * between them breaks, and it stops too (`main.ts`).
 */
export function runProgram(
  args: readonly string[],
  signal: AbortSignal,
  onLine: (line: string) => void,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(PACKAGE_ROOT, "bin/antecedent.js"), ...args], {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      detached: true,
    });
    const stdout: Buffer[] = [];
    let said: string | undefined;
    child.stdout!.on("data", (data: Buffer) => stdout.push(data));
    const lines = createInterface({ input: child.stderr! });
    lines.on("line", (line) => {
      if (line.trim() === "") return;
      said = line;
      onLine(line);
    });
    const stop = () => child.kill("SIGTERM");
    signal.addEventListener("abort", stop, { once: true });
    child.on("error", reject);
    child.on("close", (code, ended) => {
      signal.removeEventListener("abort", stop);
      resolve({ code, ended, stdout: Buffer.concat(stdout).toString("utf8"), said });
    });
    if (signal.aborted) stop();
  });
}

/** Whether a line of stderr is the one that says what is wrong. */
export function isComplaint(line: string): boolean {
  return line.startsWith(ERROR_PREFIX);
}

/** Why a run failed: its last line, and what ended it where it did not end itself. */
export function whyFailed({ code, ended, said }: Ended): string {
  const why = said !== undefined && isComplaint(said) ? said.slice(ERROR_PREFIX.length) : said;
  if (ended !== null) return `${why === undefined ? "" : `${why}; `}ended by ${ended}`;
  return why ?? `exit ${code}`;
}
