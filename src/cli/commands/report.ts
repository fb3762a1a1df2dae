/** `report`: a finished run as one HTML file. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { InputError } from "../../formats/input-error.js";
import { auditReport } from "../../report/audit-report.js";
import { readStoredAudit } from "../../report/stored-audit.js";
import { writeFileAtomic } from "../../store/atomic-write.js";
import { openFile } from "../../store/node-file-source.js";
import { notFinished } from "../runs/run-row.js";
import type { Io } from "../terminal/io.js";
import { jsonOption, type OutputFlags, outputPath } from "../terminal/options.js";
import { isFolder, packageVersion } from "../terminal/package-files.js";

interface Flags extends OutputFlags {
  readonly out?: string;
}

export function reportCommand(io: Io): Command {
  const command = new Command("report")
    .description("a finished run as one self-contained HTML file")
    .argument("<run>", "run folder")
    .option("--out <file>", "where it goes; default: report.html in the run folder", outputPath);
  return jsonOption(command).action((run: string, flags: Flags) => report(io, run, flags));
}

async function report(io: Io, run: string, flags: Flags): Promise<void> {
  if (existsSync(run) && !isFolder(run)) throw new InputError(`${run}: is a file; give the folder of a run`);
  if (!isFolder(run)) throw new InputError(`${run}: no such run folder; \`antecedent audit … --out ${run}\` makes one`);
  const result = join(run, "result.json");
  if (!existsSync(result)) throw notFinished(run);
  const file = flags.out ?? join(run, "report.html");
  await writeFileAtomic(
    file,
    auditReport(await readStoredAudit(await openFile(result)), `antecedent ${packageVersion()}`),
  );
  io.result(
    flags.json,
    () => ({ file }),
    () => file,
  );
}
