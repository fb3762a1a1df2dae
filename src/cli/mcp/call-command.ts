/** One command in a process of its own, for an agent: its JSON, or what it says is wrong. */
import { spawn } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { ExitCode } from "../terminal/exit.js";
import { PACKAGE_ROOT } from "../terminal/package-files.js";

/** A longer document would fill an agent's context: it goes into a file. */
const MOST_CHARACTERS = 100_000;
/** What is shown of one that does. */
const SHOWN_CHARACTERS = 2_000;
/** Lines of a failure that are passed on. */
const LAST_LINES = 20;

export interface Called {
  readonly text: string;
  readonly failed: boolean;
}

/** Runs the program with `argv`; `onLine` hears its progress; a signal stops it as Ctrl-C does. */
export async function callCommand(
  argv: readonly string[],
  signal: AbortSignal,
  onLine: (line: string) => void,
): Promise<Called> {
  if (signal.aborted) return { text: "cancelled before it began", failed: true };
  const child = spawn(process.execPath, [join(PACKAGE_ROOT, "bin/antecedent.js"), ...argv], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stop = () => child.kill("SIGINT");
  signal.addEventListener("abort", stop, { once: true });
  const said: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => {
    said.push(line);
    onLine(line);
  });
  const [document, code] = await Promise.all([
    text(child.stdout),
    new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    }),
  ]);
  signal.removeEventListener("abort", stop);
  if (code !== ExitCode.done) return { text: said.slice(-LAST_LINES).join("\n") || `exit code ${code}`, failed: true };
  return { text: document.length > MOST_CHARACTERS ? intoFile(document) : document.trimEnd(), failed: false };
}

function intoFile(document: string): string {
  const file = join(mkdtempSync(join(tmpdir(), "antecedent-mcp-")), "result.json");
  writeFileSync(file, document);
  return JSON.stringify({ file, characters: document.length, begins: document.slice(0, SHOWN_CHARACTERS) });
}
