/**
 * Finished work of the recovery benchmark. Found by what was asked and by the code that answered, so no stale row is read. Each shard
 * writes a journal of its own and reads those of the others.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { Journal } from "../../store/journal.js";
import type { Shard } from "../terminal/shard.js";

/** What a piece of work depends on, beside the code. */
export type WorkKey = readonly (string | number)[];

const JOURNALS = /^recovery(-\d+-of-\d+)?\.journal$/;

export class RecoveryJournal {
  readonly #others = new Map<string, Uint8Array>();

  private constructor(
    private readonly journal: Journal,
    private readonly folder: string,
    private readonly own: string,
    private readonly code: string,
  ) {
    this.lookAtOthers();
  }

  /** Opens a journal of a benchmark's folder; `code`: fingerprint of the code that runs now. */
  static async open(folder: string, code: string, part?: Shard): Promise<RecoveryJournal> {
    const own = part === undefined ? "recovery.journal" : `recovery-${part.i}-of-${part.n}.journal`;
    return new RecoveryJournal(await Journal.open(join(folder, own)), folder, own, code);
  }

  /** Takes in what the folder's other journals hold now. */
  lookAtOthers(): void {
    for (const name of readdirSync(this.folder)) {
      if (name === this.own || !JOURNALS.test(name)) continue;
      const other = Journal.read(join(this.folder, name));
      for (const key of other.keys()) this.#others.set(key, other.get(key)!);
      other.close();
    }
  }

  /** Pieces of work that other code did; they stay in the files and count for nothing. */
  get stale(): number {
    const keys = new Set([...this.journal.keys(), ...this.#others.keys()]);
    return [...keys].filter((key) => (JSON.parse(key) as WorkKey)[0] !== this.code).length;
  }

  /** What this code found, as it was added. */
  get<T>(key: WorkKey): T | undefined {
    const name = JSON.stringify([this.code, ...key]);
    const bytes = this.journal.get(name) ?? this.#others.get(name);
    return bytes && (JSON.parse(new TextDecoder().decode(bytes)) as T);
  }

  add(key: WorkKey, value: unknown): void {
    this.journal.append(JSON.stringify([this.code, ...key]), new TextEncoder().encode(JSON.stringify(value)));
  }

  close(): void {
    this.journal.close();
  }
}
