/** Entry of the program: parses the command line, runs one command, turns its end into an exit code. */
import { CommanderError } from "commander";
import { InputError, quote } from "../formats/input-error.js";
import { buildProgram } from "./program.js";
import { ExitCode, Interrupted } from "./terminal/exit.js";
import { Io } from "./terminal/io.js";

/** An interrupted program that is still computing after this long says so; a second Ctrl-C does not wait. */
const PATIENCE_MS = 3000;
/** Who asks a program to end, or is gone, cannot ask again: it is waited for this long. */
const GRACE_MS = 10_000;
/** Signals as close together as this are one Ctrl-C: npx passes on what the terminal has already sent to the whole process group. */
const ECHO_MS = 250;
/** Prints the stack of an unexpected error. */
const DEBUG_VARIABLE = "ANTECEDENT_DEBUG";

/** Runs `argv` (as process.argv) and ends the process with the contract's exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  const abort = new AbortController();
  const io = new Io(process.stdout, process.stderr, abort.signal);
  let asked = Number.NEGATIVE_INFINITY;
  const stop = (later: () => void, after: number) => {
    const now = performance.now();
    if (now - asked < ECHO_MS) return;
    if (abort.signal.aborted) return dieAtOnce();
    asked = now;
    abort.abort(new Interrupted());
    setTimeout(later, after).unref();
  };
  const waiting = () => io.log("interrupted: waiting for the batch under way; Ctrl-C again ends at once");
  process.on("SIGINT", () => stop(waiting, PATIENCE_MS));
  process.on("SIGTERM", () => stop(dieAtOnce, GRACE_MS));
  // Whoever has started this as a part of its own work is gone.
  process.on("disconnect", () => stop(dieAtOnce, GRACE_MS));
  process.channel?.unref();
  // A reader that has seen enough (`| head`) closes the pipe: nothing is left to do.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    process.exitCode = error.code === "EPIPE" ? ExitCode.done : ExitCode.failed;
    if (error.code !== "EPIPE") io.log(`failed: the result cannot be written: ${error.message}`);
    abort.abort(error);
  });
  let code: number;
  try {
    await buildProgram(io).parseAsync([...argv]);
    code = ExitCode.done;
  } catch (error) {
    code = report(io, error);
  }
  await io.flush().catch(() => {}); // said already
  process.exit(process.exitCode ?? code);
}

/**
 * Ends the process by SIGINT's own effect, which a shell reports as 130 too: `process.exit` beside a thread in which ONNX Runtime computes
 * ends in an abort. What is to be given back at the end is given back all the same.
 */
function dieAtOnce(): void {
  process.emit("exit", ExitCode.interrupted);
  process.removeAllListeners("SIGINT");
  process.kill(process.pid, "SIGINT");
  // The first process of a container has no default for signals.
  process.exit(ExitCode.interrupted);
}

/** Says on stderr what went wrong and returns the exit code. */
function report(io: Io, error: unknown): number {
  if (io.signal.aborted) {
    if (io.signal.reason instanceof Interrupted) io.log("interrupted");
    return ExitCode.interrupted;
  }
  io.endProgress();
  if (error instanceof CommanderError) {
    // Help and version have printed what was asked.
    if (error.exitCode === 0 || error.code === "commander.help") return ExitCode.done;
    io.error(error.message.replace(/^error: /, "").replaceAll("\n", " "));
    return ExitCode.wrongInput;
  }
  if (error instanceof InputError) {
    io.error(error.message);
    return ExitCode.wrongInput;
  }
  io.log(
    process.env[DEBUG_VARIABLE] && error instanceof Error
      ? String(error.stack)
      : `failed: ${describe(error)}; ${DEBUG_VARIABLE}=1 shows where`,
  );
  return ExitCode.failed;
}

function describe(error: unknown): string {
  return quote(error instanceof Error ? error.message : String(error), 400).slice(1, -1);
}
