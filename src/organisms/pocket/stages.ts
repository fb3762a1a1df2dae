/** Work in stages, each of which leaves files and a stamp of what they were made from. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../../store/atomic-write.js";

/** Runs a stage unless its stamp in the work folder says that it is done and the files that it leaves are there. */
export function stages({
  out,
  work,
  log,
  signal,
}: {
  readonly out: string;
  readonly work: string;
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal;
}) {
  return async (name: string, files: readonly string[], stamp: string, make: () => Promise<void>) => {
    signal?.throwIfAborted();
    const file = join(work, `${name.replaceAll(" ", "-")}.stamp`);
    const known = (await readFile(file, "utf8").catch(() => "")) === stamp;
    if (known && files.every((left) => existsSync(join(out, left)))) {
      log(`${name}: done before`);
      return;
    }
    const started = performance.now();
    log(`${name} …`);
    await make();
    await writeFileAtomic(file, stamp);
    log(`${name}: ${((performance.now() - started) / 1000).toFixed(0)} s`);
  };
}
