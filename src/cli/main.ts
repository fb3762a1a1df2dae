/** Entry of the program: parses the command line, runs one command, turns its end into an exit code. */
import { CommanderError } from "commander";
import { InputError, quote } from "../formats/input-error.js";
import { buildProgram } from "./program.js";
import { ExitCode, Interrupted } from "./terminal/exit.js";
import { Io } from "./terminal/io.js";

/** An interrupted program that is still computing after this long says so; a second Ctrl-C does not wait. */
const PATIENCE_MS = 3000;
/** Signals as close together as this are one Ctrl-C: npx passes on what the terminal has already sent to the whole process group. */
const ECHO_MS = 250;
/** Prints the stack of an unexpected error. */
const DEBUG_VARIABLE = "ANTECEDENT_DEBUG";

/** Runs `argv` (as process.argv) and ends the process with the contract's exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  const abort = new AbortController();
  const io = new Io(process.stdout, process.stderr, abort.signal);
  let asked = Number.NEGATIVE_INFINITY;
  const stop = () => {
    const now = performance.now();
    if (now - asked < ECHO_MS) return;
    if (abort.signal.aborted) return dieAtOnce();
    asked = now;
    abort.abort(new Interrupted());
    setTimeout(
      () => io.log("interrupted: waiting for the batch under way; Ctrl-C again ends at once"),
      PATIENCE_MS,
    ).unref();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  // Whoever has started this as a part of its own work is gone.
  process.on("disconnect", stop);
  process.channel?.unref();
  // A reader that has seen enough (`| head`) closes the pipe: nothing is left to do.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    process.exitCode = error.code === "EPIPE" ? ExitCode.done : ExitCode.failed;
    abort.abort(error);
  });
  let code: number;
  try {
    await buildProgram(io).parseAsync([...argv]);
    code = ExitCode.done;
  } catch (error) {
    code = report(io, error);
  }
  await io.flush();
  process.exit(process.exitCode ?? code);
}

/**
 * Ends the process by SIGINT's own effect, which a shell reports as 130 too: `process.exit` beside a thread in which ONNX Runtime computes
 * ends in an abort.
 */
function dieAtOnce(): void {
  process.removeAllListeners("SIGINT");
  process.kill(process.pid, "SIGINT");
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
