/** `npm run pocket`: remakes pocket/ from its seed; Ctrl-C stops cleanly and the same command goes on. */
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { InputError } from "../../formats/input-error.js";
import { buildPocket } from "./build.js";

const root = new URL("../../../", import.meta.url);
const [out = fileURLToPath(new URL("pocket", root)), work = fileURLToPath(new URL("build/pocket", root))] =
  process.argv.slice(2);
const interrupt = new AbortController();
process.once("SIGINT", () => interrupt.abort(new Error("interrupted; the same command goes on")));
const started = performance.now();
const log = (line: string) =>
  process.stderr.write(`${((performance.now() - started) / 1000).toFixed(0).padStart(5)} s  ${line}\n`);
try {
  await buildPocket({ out, work, threads: availableParallelism(), log, signal: interrupt.signal });
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = interrupt.signal.aborted ? 130 : error instanceof InputError ? 2 : 1;
}
