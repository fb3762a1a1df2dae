/** An audit in its run folder: the same call goes on with an interrupted one. */

import type { AuditResult } from "../../audit/answer/result.js";
import { DEFAULT_AUDIT_OPTIONS } from "../../audit/ask/context.js";
import { audit } from "../../audit/pipeline.js";
import { fetchNamed } from "../model/hub.js";
import type { Used } from "../model/used.js";
import type { Io } from "../terminal/io.js";
import type { ComputeFlags, OutputFlags } from "../terminal/options.js";
import { packageVersion } from "../terminal/package-files.js";
import { stageCalls } from "../terminal/stage-calls.js";
import type { AuditBudget } from "./audit-budget.js";
import type { AuditRequest } from "./audit-request.js";
import { rememberIn, setUpAudit } from "./audit-setup.js";
import { defaultRunFolder, RunFolder } from "./run-folder.js";

/** An audit's answer as its run folder keeps it. */
export interface AuditRun extends AuditResult {
  readonly name: string;
  readonly used: Used;
  /** The run folder. */
  readonly run: string;
}

/**
 * Runs the audit in `out`, or in a folder named after what is asked. Rejects with BudgetSpent where `budget` ends it; the run
 * folder then holds what was done.
 */
export async function runAudit(
  io: Io,
  request: AuditRequest,
  flags: ComputeFlags & OutputFlags,
  out: string | undefined,
  budget?: AuditBudget,
): Promise<AuditRun> {
  const seed = request.seed ?? flags.seed;
  await fetchNamed(io, request);
  const setup = await setUpAudit(io, request, flags);
  const confirmLooks = request.looks ?? DEFAULT_AUDIT_OPTIONS.confirmLooks;
  const settings = { ...DEFAULT_AUDIT_OPTIONS, seed, confirmLooks };
  const config = { version: packageVersion(), request, settings };
  const name = request.name ?? setup.model.adapter ?? setup.model.name;
  const folder = await RunFolder.open(out ?? defaultRunFolder(name, config), config);
  try {
    if (folder.resumed) io.log(`going on with the run in ${folder.path}`);
    else if (folder.isDone)
      io.log(`${folder.path} has an answer already: it is computed again, and replaced at the end`);
    const remembering = rememberIn(folder, setup);
    const calls = stageCalls(io, "audit", () => folder.tick());
    const result = await audit(
      budget ? budget.guard(remembering, folder) : remembering,
      settings,
      budget ? { ...calls, signal: AbortSignal.any([io.signal, budget.signal]), left: () => budget.left } : calls,
    );
    const stored = {
      ...result,
      budget: { ...result.budget, seconds: folder.seconds },
      name,
      used: setup.used,
      run: folder.path,
    };
    await folder.finish(stored);
    return stored;
  } catch (error) {
    if (io.signal.aborted) io.log(`${folder.path} keeps what was done; the same command goes on`);
    throw error;
  } finally {
    budget?.close();
    folder.close();
  }
}
