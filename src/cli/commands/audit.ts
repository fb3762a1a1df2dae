/** `audit`: from an action to a verified trigger, or to the statement that none was found. */
import { Command } from "commander";
import { DEFAULT_AUDIT_OPTIONS } from "../../audit/context.js";
import { audit } from "../../audit/pipeline.js";
import { type AuditFlags, auditOptions, requestOf } from "../audit-request.js";
import { rememberIn, setUpAudit } from "../audit-setup.js";
import { auditText } from "../audit-text.js";
import type { Io } from "../io.js";
import { outputPath } from "../options.js";
import { packageVersion } from "../package-files.js";
import { defaultRunFolder, RunFolder } from "../run-folder.js";
import { stageCalls } from "../stage-calls.js";

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
  const request = await requestOf(target, flags, command);
  const seed = request.seed ?? flags.seed;
  const setup = await setUpAudit(request, flags);
  const settings = { ...DEFAULT_AUDIT_OPTIONS, seed };
  const config = { version: packageVersion(), request, settings };
  const name = request.name ?? setup.model.adapter ?? setup.model.name;
  const folder = await RunFolder.open(flags.out ?? defaultRunFolder(name, config), config);
  try {
    if (folder.resumed) io.log(`going on with the run in ${folder.path}`);
    const result = await audit(
      rememberIn(folder, setup),
      settings,
      stageCalls(io, "audit", () => folder.tick()),
    );
    const stored = {
      ...result,
      budget: { ...result.budget, seconds: folder.seconds },
      name,
      used: setup.used,
      run: folder.path,
    };
    await folder.finish(stored);
    io.result(
      flags.json,
      () => stored,
      () => auditText(stored),
    );
  } finally {
    folder.close();
  }
}
