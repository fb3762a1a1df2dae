/** Where a sweep's points are claimed and their results kept: a folder that all who work at it see. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readJson } from "../../formats/json.js";
import { writeFileAtomic } from "../../store/atomic-write.js";
import { LockHeld, takeLock } from "../../store/lock-file.js";
import { openFile } from "../../store/node-file-source.js";
import { refuseWriting } from "../../store/refused.js";
import type { SweepPoint } from "./sweep-file.js";

/** What a command prints: cards of some dozen latents, or an audit. */
export const MAX_POINT_BYTES = 256 << 20;

export interface PointStore {
  /** The document of a point's result; undefined where there is none yet. */
  read(point: SweepPoint): Promise<unknown>;
  /** Takes a point for this process: the function that gives it back, or who has it where another process does. */
  claim(point: SweepPoint): Promise<(() => Promise<void>) | LockHeld>;
  /** Keeps the text of a point's document. */
  write(point: SweepPoint, text: string): Promise<void>;
  close(): Promise<void>;
}

export const fileOf = (folder: string, { id }: SweepPoint) => join(folder, `${id}.json`);

/** A file a point, named by its command line, and a lock beside it while somebody is at it. */
export class FolderStore implements PointStore {
  constructor(readonly folder: string) {}

  async read(point: SweepPoint): Promise<unknown> {
    const file = fileOf(this.folder, point);
    return existsSync(file) ? readJson(await openFile(file), MAX_POINT_BYTES) : undefined;
  }

  async claim(point: SweepPoint): Promise<(() => Promise<void>) | LockHeld> {
    try {
      const giveBack = takeLock(join(this.folder, `.${point.id}.lock`), fileOf(this.folder, point));
      return async () => giveBack();
    } catch (error) {
      if (error instanceof LockHeld) return error;
      refuseWriting(this.folder, error);
    }
  }

  async write(point: SweepPoint, text: string): Promise<void> {
    await writeFileAtomic(fileOf(this.folder, point), text);
  }

  async close(): Promise<void> {}
}
