/** The program once more, in a process of its own. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { PACKAGE_ROOT } from "./package-files.js";

/** Last lines of stderr that are kept to say why it failed. */
const KEPT_LINES = 20;

export interface Ended {
  readonly code: number | null;
  /** The signal that ended it. */
  readonly ended: string | null;
  readonly stdout: string;
  /** Its last lines on stderr. */
  readonly said: readonly string[];
}

/**
 * Runs the program with `args`; `onLine` hears what it says on stderr, a signal stops it as Ctrl-C does. It is in a process group of its
 * own, so that a Ctrl-C of the terminal reaches it once, from here, and it can stop cleanly.
 */
export function runProgram(
  args: readonly string[],
  signal: AbortSignal,
  onLine: (line: string) => void,
): Promise<Ended> {
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
        onLine(line);
        said.push(line);
        if (said.length > KEPT_LINES) said.shift();
      }
    };
    const stop = () => child.kill("SIGINT");
    signal.addEventListener("abort", stop, { once: true });
    child.stdout.on("data", (data: Buffer) => stdout.push(data));
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      const lines = (open + text).split("\n");
      open = lines.pop()!;
      say(lines);
    });
    child.on("error", reject);
    child.on("close", (code, ended) => {
      signal.removeEventListener("abort", stop);
      say([open]);
      resolve({ code, ended, stdout: Buffer.concat(stdout).toString("utf8"), said });
    });
    if (signal.aborted) stop();
  });
}
