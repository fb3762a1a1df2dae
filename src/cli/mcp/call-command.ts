/** One command in a process of its own, for an agent: its JSON, or what it says is wrong. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ExitCode } from "../terminal/exit.js";
import { runProgram, whyFailed } from "../terminal/program-process.js";

/** A longer document would fill an agent's context: it goes into a file. */
const MOST_CHARACTERS = 100_000;
/** What is shown of one that does. */
const SHOWN_CHARACTERS = 2_000;

export interface Called {
  /** What went wrong, where something did, and the document: `sweep` prints one where some points fail, too. */
  readonly texts: readonly string[];
  readonly failed: boolean;
}

/** Runs the program with `argv`; `onLine` hears its progress; a signal stops it as Ctrl-C does. */
export async function callCommand(
  argv: readonly string[],
  signal: AbortSignal,
  onLine: (line: string) => void,
): Promise<Called> {
  if (signal.aborted) return { texts: ["cancelled before it began"], failed: true };
  const ended = await runProgram(argv, signal, onLine);
  const document = ended.stdout.length > MOST_CHARACTERS ? intoFile(ended.stdout) : ended.stdout.trimEnd();
  const texts = document === "" ? [] : [document];
  if (ended.code === ExitCode.done) return { texts, failed: false };
  return { texts: [whyFailed(ended), ...texts], failed: true };
}

function intoFile(document: string): string {
  const file = join(mkdtempSync(join(tmpdir(), "antecedent-mcp-")), "result.json");
  writeFileSync(file, document);
  return JSON.stringify({ file, characters: document.length, begins: document.slice(0, SHOWN_CHARACTERS) });
}
