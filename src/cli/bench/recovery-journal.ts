/** Finished work of the recovery benchmark. Found by what was asked and by the code that answered, so no stale row is read. */
import { join } from "node:path";
import { Journal } from "../../store/journal.js";

/** What a piece of work depends on, beside the code. */
export type WorkKey = readonly (string | number)[];

export class RecoveryJournal {
  private constructor(
    private readonly journal: Journal,
    private readonly code: string,
  ) {}

  /** Opens the journal of a benchmark's folder; `code`: fingerprint of the code that runs now. */
  static async open(folder: string, code: string): Promise<RecoveryJournal> {
    return new RecoveryJournal(await Journal.open(join(folder, "recovery.journal")), code);
  }

  /** Pieces of work that other code did; they stay in the file and count for nothing. */
  get stale(): number {
    return [...this.journal.keys()].filter((key) => (JSON.parse(key) as WorkKey)[0] !== this.code).length;
  }

  /** What this code found, as it was added. */
  get<T>(key: WorkKey): T | undefined {
    const bytes = this.journal.get(JSON.stringify([this.code, ...key]));
    return bytes && (JSON.parse(new TextDecoder().decode(bytes)) as T);
  }

  add(key: WorkKey, value: unknown): void {
    this.journal.append(JSON.stringify([this.code, ...key]), new TextEncoder().encode(JSON.stringify(value)));
  }

  close(): void {
    this.journal.close();
  }
}
