/**
 * The pages of a folder of runs, by path: `/` is the list, `/run/…` a run, named by its folder below that of the list. What is asked for is looked
 * up among the runs that there are, so no path leads anywhere else.
 */
import { relative } from "node:path";
import { InputError } from "../../formats/input-error.js";
import { auditReport } from "../../report/audit-report.js";
import { type ListedRun, missingPage, pendingPage, runsPage } from "../../report/runs-page.js";
import { findRuns, type RunRow, requireRun } from "./run-row.js";

export interface Page {
  readonly status: 200 | 404;
  readonly html: string;
}

const LIST = "/";
const RUN = "/run/";

/** The page at a URL's path; `madeBy` names program and version. InputError where the folder is gone. */
export async function runPage(folder: string, path: string, madeBy: string): Promise<Page> {
  const runs = (await findRuns(folder)).map((row) => ({ row, listed: listedAs(folder, row) }));
  if (path === LIST)
    return {
      status: 200,
      html: runsPage(
        folder,
        runs.map(({ listed }) => listed),
        madeBy,
      ),
    };
  const asked = runs.find(({ listed }) => listed.link === path);
  if (asked === undefined) return { status: 404, html: missingPage(LIST, madeBy) };
  const audit = asked.row.state === "done" ? await answerOf(asked.row.run) : null;
  return {
    status: 200,
    html: audit === null ? pendingPage(asked.listed, LIST, madeBy) : auditReport(audit, madeBy, LIST),
  };
}

async function answerOf(run: string) {
  try {
    return (await requireRun(run)).audit;
  } catch (error) {
    // Deleted or written anew since it was listed.
    if (error instanceof InputError) return null;
    throw error;
  }
}

function listedAs(folder: string, { run, ...row }: RunRow): ListedRun {
  const below = relative(folder, run) || ".";
  const link = RUN + below.split(/[\\/]/).map(encodeURIComponent).join("/");
  return { ...row, folder: below, link };
}
