/**
 * The folder of one audit: config.json (what was asked), journal (answers so far, gone when the run is done) and result.json.
 * Every file is written whole or not at all, so killing the program never leaves a broken one.
 */
import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../store/atomic-write.js";
import { Journal } from "../store/journal.js";

const JOURNAL = "journal";
/** Time used is noted at most this often. */
const CLOCK_EVERY_MS = 5000;
const CLOCK_KEY = "seconds";

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

  /** Opens or makes the folder and takes its lock; `config` is what was asked. */
  static async open(path: string, config: unknown): Promise<RunFolder> {
    const journal = await Journal.open(join(path, JOURNAL));
    await writeFileAtomic(join(path, "config.json"), `${JSON.stringify(config, null, 2)}\n`);
    return new RunFolder(path, journal);
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
    await writeFileAtomic(join(this.path, "result.json"), `${JSON.stringify(result, null, 2)}\n`);
    this.journal.close();
    await rm(join(this.path, JOURNAL), { force: true });
  }

  /** Keeps the journal for the next sitting. */
  close(): void {
    this.journal.close();
  }
}

/** runs/<name>-<day>-<hash of the config>: the same command on the same day finds its own folder again. */
export function defaultRunFolder(name: string, config: unknown): string {
  const hash = createHash("sha256").update(JSON.stringify(config)).digest("hex").slice(0, 8);
  const day = new Date().toISOString().slice(0, 10);
  return join("runs", `${name.replace(/[^\w-]+/g, "-").replace(/^-+|-+$/g, "") || "audit"}-${day}-${hash}`);
}
