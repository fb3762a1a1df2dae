/**
 * `worker`: helps with a sweep from another process or machine that sees its folder: takes one point after the other that nobody has
 * computed and nobody is at, until none is left. Who wants the table calls `sweep` in the end.
 */
import { Command } from "commander";
import { throwIfSomeFailed } from "../sweep/work.js";
import type { Io } from "../terminal/io.js";
import { type SweepFlags, sit, sweepOptions } from "./sweep.js";

export function workerCommand(io: Io): Command {
  const command = new Command("worker").description(
    "helps with a sweep: computes points that nobody else is at, on any machine that sees its folder",
  );
  return sweepOptions(command).action(async (file: string, flags: SweepFlags) => {
    const { read, folder, sitting } = await sit(io, file, flags);
    const { computed, failures, elsewhere, known } = sitting;
    const missing = read.points.length - known.size;
    io.result(
      flags.json,
      () => ({ file, out: folder, computed, failed: failures.size, elsewhere, missing }),
      () =>
        `${computed} points computed, ${failures.size} failed, ${elsewhere} left to other workers; ${missing} of ${read.points.length} have no result in ${folder} yet`,
    );
    throwIfSomeFailed(sitting);
  });
}
