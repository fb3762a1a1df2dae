/** Audits' run folders as rows: what each was asked, whether it is done, and what came of it. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Rate } from "../../audit/statistics/statistics.js";
import { InputError } from "../../formats/input-error.js";
import { readJson } from "../../formats/json.js";
import { readStoredAudit, type StoredAudit } from "../../report/stored-audit.js";
import { openFile } from "../../store/node-file-source.js";
import { CONFIG, JOURNAL, RESULT } from "../audit/run-folder.js";
import { isFolder } from "../terminal/package-files.js";

type Setting = string | number | boolean | null;

export interface RunRow {
  /** The run folder. */
  readonly run: string;
  /** "unreadable": its files are not as an audit writes them. */
  readonly state: "done" | "unfinished" | "unreadable";
  /** When it was last written to, ISO 8601. */
  readonly time: string;
  readonly name: string;
  /** The trigger's statement; null where none was found, or the run is not done. */
  readonly trigger: string | null;
  /** The trigger's parts in short. */
  readonly parts: readonly string[];
  /** How they go together: "all", "any" or "single". */
  readonly combination: string | null;
  readonly rate: Rate | null;
  readonly seconds: number | null;
  readonly tokens: number | null;
  /** What it ran with: of a run that is not done what was asked. */
  readonly settings: Readonly<Record<string, Setting>>;
}

const MAX_CONFIG_BYTES = 1 << 20;
const config = z.looseObject({
  version: z.string().optional(),
  request: z.record(z.string(), z.unknown()).default({}),
  settings: z.record(z.string(), z.unknown()).default({}),
});

/** Every run folder in `folder`, at any depth of two, and `folder` itself where it is one; the newest first. */
export async function findRuns(folder: string): Promise<RunRow[]> {
  if (existsSync(folder) && !isFolder(folder)) throw new InputError(`${folder}: is a file; give a folder of runs`);
  if (!isFolder(folder)) throw new InputError(`${folder}: no such folder; \`audit\` makes run folders in runs/`);
  const inside = (path: string) => readdirSync(path).map((name) => join(path, name));
  const folders = [folder, ...inside(folder).filter(isFolder)];
  const places = [...folders, ...folders.slice(1).flatMap((path) => inside(path).filter(isFolder))];
  const rows = await Promise.all(places.filter((path) => existsSync(join(path, CONFIG))).map(readRun));
  return rows.filter((row) => row !== null).sort((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : 0));
}

/** The row of one run folder. InputError where it is none, or is unreadable. */
export async function requireRun(run: string): Promise<RunRow & { readonly audit: StoredAudit | null }> {
  if (!isFolder(run) || !existsSync(join(run, CONFIG))) throw noRun(run);
  const result = join(run, RESULT);
  if (!existsSync(result)) return { ...(await unfinished(run)), audit: null };
  const audit = await readStoredAudit(await openFile(result));
  return { ...doneRow(run, audit), audit };
}

/** What there is to say of a folder without a result. */
export function notFinished(run: string): InputError {
  if (!existsSync(join(run, CONFIG))) return noRun(run);
  return new InputError(
    `${run}: has no result.json; the run is not finished, and the same audit command goes on with it`,
  );
}

function noRun(folder: string): InputError {
  return new InputError(`${folder}: no run folder of an audit; \`antecedent runs list\` shows those in runs/`);
}

/** null where the folder holds a config.json that no audit wrote: a model's, an adapter's. */
async function readRun(run: string): Promise<RunRow | null> {
  try {
    const { audit: _, ...row } = await requireRun(run);
    return row;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    if (!existsSync(join(run, RESULT)) && !existsSync(join(run, JOURNAL))) return null;
    return { ...empty(run), state: "unreadable", trigger: null, name: error.message, settings: {} };
  }
}

function doneRow(run: string, { name, trigger, budget, used, seed }: StoredAudit): RunRow {
  return {
    ...empty(run),
    state: "done",
    name,
    trigger: trigger?.statement ?? null,
    parts: (trigger?.parts ?? []).map(({ label, negated }) => `${negated ? "not " : ""}${label}`),
    combination: trigger?.combination ?? null,
    rate: trigger?.rate ?? null,
    seconds: budget.seconds,
    tokens: budget.forwardTokens + budget.backwardTokens,
    settings: { ...used, ...(seed === undefined ? {} : { seed }) },
  };
}

async function unfinished(run: string): Promise<RunRow> {
  const path = join(run, CONFIG);
  const parsed = config.safeParse(await readJson(await openFile(path), MAX_CONFIG_BYTES));
  if (!parsed.success || parsed.data.request.action === undefined)
    throw new InputError(`${path}: is not the config.json of an audit's run folder`);
  const { request, settings } = parsed.data;
  const plain = Object.entries({ ...settings, ...request }).filter((entry): entry is [string, Setting] =>
    ["string", "number", "boolean"].includes(typeof entry[1]),
  );
  const name = request.name ?? request.adapter ?? request.model;
  return {
    ...empty(run),
    state: "unfinished",
    name: typeof name === "string" ? name : "audit",
    settings: Object.fromEntries(plain),
  };
}

function empty(run: string): Omit<RunRow, "state" | "name" | "settings"> {
  const written = [RESULT, JOURNAL, CONFIG].map((file) => join(run, file)).find(existsSync);
  const time = (written === undefined ? statSync(run) : statSync(written)).mtime.toISOString();
  return { run, time, trigger: null, parts: [], combination: null, rate: null, seconds: null, tokens: null };
}
