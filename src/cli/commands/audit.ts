/** `audit`: from an action to a verified trigger, or to the statement that none was found. */
import { Command } from "commander";
import { type AuditFlags, auditOptions, requestOf } from "../audit/audit-request.js";
import { runAudit } from "../audit/audit-run.js";
import { auditText } from "../audit/audit-text.js";
import type { Io } from "../terminal/io.js";
import { outputPath } from "../terminal/options.js";

interface Flags extends AuditFlags {
  readonly out?: string;
}

export function auditCommand(io: Io): Command {
  const command = new Command("audit")
    .description("find out what triggers the action, and test it")
    .argument("[target]", "an organism's name or folder, or an audit.yaml")
    .option("--methods <names>", "methods to look with, separated by commas; default: all")
    .option(
      "--out <folder>",
      "run folder; an interrupted run goes on there; default: runs/<name>-<day>-<hash>",
      outputPath,
    );
  return auditOptions(command).action((target: string | undefined, flags: Flags, self: Command) =>
    run(io, target, flags, self),
  );
}

async function run(io: Io, target: string | undefined, flags: Flags, command: Command): Promise<void> {
  const result = await runAudit(io, await requestOf(target, flags, command), flags, flags.out);
  io.result(
    flags.json,
    () => result,
    () => auditText(result),
  );
}
