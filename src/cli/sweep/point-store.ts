/** Where a sweep's points are claimed and their results kept: a folder that all who work at it see. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { InputError } from "../../formats/input-error.js";
import { readJson } from "../../formats/json.js";
import { writeFileAtomic } from "../../store/atomic-write.js";
import { LockHeld, takeLock } from "../../store/lock-file.js";
import { openFile } from "../../store/node-file-source.js";
import { refuseWriting } from "../../store/refused.js";
import type { SweepPoint } from "./sweep-file.js";

/** What a command prints: cards of some dozen latents, or an audit. */
export const MAX_POINT_BYTES = 256 << 20;

const storedPoint = z.object({ args: z.array(z.string()), seconds: z.number(), result: z.unknown() });
/** What is kept of a point: its command line, how long it took, and what the command printed. */
export type StoredPoint = z.infer<typeof storedPoint>;

export interface PointStore {
  /** This machine's own, in which every result is a file. */
  readonly folder: string;
  /** What is kept of a point; undefined where there is nothing yet. InputError where what is there is no result of it. */
  read(point: SweepPoint): Promise<StoredPoint | undefined>;
  /** Takes a point for this process: the function that gives it back, or who has it where another process does. */
  claim(point: SweepPoint): Promise<(() => Promise<void>) | LockHeld>;
  write(point: SweepPoint, stored: StoredPoint): Promise<void>;
  close(): Promise<void>;
}

/** A document as what is kept of the point; InputError, which begins with `place`, where it is something else. */
export function storedPointOf(document: unknown, { args }: SweepPoint, place: string): StoredPoint {
  const parsed = storedPoint.safeParse(document);
  if (!parsed.success || String(parsed.data.args) !== String(args)) throw noResult(place);
  return parsed.data;
}

export function noResult(place: string): InputError {
  return new InputError(`${place} is no result of this sweep; delete it and the point is computed again`);
}

export const fileOf = (folder: string, { id }: SweepPoint) => join(folder, `${id}.json`);

/** A file a point, named by its command line, and a lock beside it while somebody is at it. */
export class FolderStore implements PointStore {
  constructor(readonly folder: string) {}

  async read(point: SweepPoint): Promise<StoredPoint | undefined> {
    const file = fileOf(this.folder, point);
    if (!existsSync(file)) return undefined;
    return storedPointOf(await readJson(await openFile(file), MAX_POINT_BYTES), point, `${file}:`);
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

  async write(point: SweepPoint, stored: StoredPoint): Promise<void> {
    await writeFileAtomic(fileOf(this.folder, point), JSON.stringify(stored));
  }

  async close(): Promise<void> {}
}
