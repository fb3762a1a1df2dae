/**
 * The folder of one audit: config.json (what was asked), journal (answers so far, gone when the run is done) and result.json.
 * Every file is written whole or not at all, so killing the program never leaves a broken one.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { InputError, quote } from "../../formats/input-error.js";
import { readJson } from "../../formats/json.js";
import { writeFileAtomic } from "../../store/atomic-write.js";
import { Journal } from "../../store/journal.js";
import { openFile } from "../../store/node-file-source.js";
import { firstDifference, requireNoOthers } from "../../store/own-folder.js";

/** What was asked, in every run folder. */
export const CONFIG = "config.json";
/** Answers so far, in one that is not done. */
export const JOURNAL = "journal";
/** The answer, in a run folder that is done. */
export const RESULT = "result.json";
/** A question has a few kB. */
const MAX_CONFIG_BYTES = 1 << 20;
/** Time used is noted at most this often. */
const CLOCK_EVERY_MS = 5000;
const CLOCK_KEY = "seconds";

/** What a run was asked, as config.json keeps it. */
export interface RunConfig {
  readonly version: string;
  readonly request: unknown;
  readonly settings: unknown;
}

export class RunFolder {
  readonly #started = performance.now();
  /** Seconds that earlier, interrupted sittings took. */
  readonly #before: number;
  #noted = performance.now();

  private constructor(
    readonly path: string,
    readonly journal: Journal,
  ) {
    const known = journal.get(CLOCK_KEY);
    this.#before = known ? (new Float64Array(known.slice().buffer)[0] ?? 0) : 0;
  }

  /**
   * Opens or makes the folder and takes its lock; `config` is what was asked. InputError where the folder belongs to a run
   * that was asked something else, or to no run: what it holds would be lost, or mixed up.
   */
  static async open(path: string, config: RunConfig): Promise<RunFolder> {
    if (existsSync(join(path, CONFIG))) await requireOwn(join(path, CONFIG), config);
    else await requireNoOthers(path, [JOURNAL]);
    const journal = await Journal.open(join(path, JOURNAL));
    await writeFileAtomic(join(path, CONFIG), `${JSON.stringify(config, null, 2)}\n`);
    return new RunFolder(path, journal);
  }

  /** Whether it holds an answer. */
  get isDone(): boolean {
    return existsSync(join(this.path, RESULT));
  }

  /** Answers that an interrupted sitting left. */
  get resumed(): boolean {
    return this.#before > 0;
  }

  /** Seconds that the run has taken, over all sittings. */
  get seconds(): number {
    return this.#before + (performance.now() - this.#started) / 1000;
  }

  /** To be called often: notes the time used. */
  tick(): void {
    if (performance.now() - this.#noted < CLOCK_EVERY_MS) return;
    this.#noted = performance.now();
    this.journal.append(CLOCK_KEY, new Uint8Array(Float64Array.of(this.seconds).buffer));
  }

  /** Writes the result and gives up the journal, which nothing needs any more. */
  async finish(result: unknown): Promise<void> {
    await writeFileAtomic(join(this.path, RESULT), `${JSON.stringify(result, null, 2)}\n`);
    this.journal.close();
    await rm(join(this.path, JOURNAL), { force: true });
  }

  /** Keeps the journal for the next sitting. */
  close(): void {
    this.journal.close();
  }
}

/** InputError unless `file` holds the same question; another version of the program may have asked it. */
async function requireOwn(file: string, { request, settings }: RunConfig): Promise<void> {
  const known = (await readJson(await openFile(file), MAX_CONFIG_BYTES)) as Partial<RunConfig> | null;
  const other =
    firstDifference(known?.request, JSON.parse(JSON.stringify(request))) ??
    firstDifference(known?.settings, JSON.parse(JSON.stringify(settings)));
  if (other !== undefined)
    throw new InputError(
      `${file}: this folder holds a run that was asked something else (${quote(other)} differs); choose another --out`,
    );
}

/** runs/<name>-<day>-<hash of the config>: the same command on the same day finds its own folder again. */
export function defaultRunFolder(name: string, config: unknown): string {
  const hash = createHash("sha256").update(JSON.stringify(config)).digest("hex").slice(0, 8);
  const day = new Date().toISOString().slice(0, 10);
  return join("runs", `${name.replace(/[^\w-]+/g, "-").replace(/^-+|-+$/g, "") || "audit"}-${day}-${hash}`);
}
