/** Where a game's key is kept: apart from the game's folder, for its owner alone, never written over. */
import { existsSync, realpathSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import { InputError } from "../../formats/input-error.js";
import { readText } from "../../formats/json.js";
import { parseKey } from "../../organisms/game/seal.js";
import { makeFolders } from "../../store/atomic-write.js";
import { openFile } from "../../store/node-file-source.js";
import { refuseWriting } from "../../store/refused.js";

/** A key and a line break; more is another file. */
const MAX_KEY_FILE_BYTES = 1024;

/** InputError where the file would lie in one of the folders, by whatever links its path goes. */
export function requireApart(file: string, folders: readonly string[]): void {
  const place = realPlace(file);
  for (const folder of folders) {
    const inside = relative(realPlace(folder), place);
    if (!inside.startsWith("..") && !isAbsolute(inside))
      throw new InputError(`--key-file ${file}: lies in the game's folder, which players get; keep the key elsewhere`);
  }
}

/** InputError where something else than this key is in the file. */
export async function requireFree(file: string, key: string): Promise<void> {
  if (!existsSync(file)) return;
  if ((await readFile(file, "utf8").catch(() => "")) !== lineOf(key))
    throw new InputError(`${file}: is there already, and a key is never written over; choose another --key-file`);
}

/** Writes the key for its owner alone. */
export async function writeKey(file: string, key: string): Promise<void> {
  await requireFree(file, key);
  if (existsSync(file)) return; // written before an interruption
  await makeFolders(dirname(file)).catch((error: unknown) => refuseWriting(file, error));
  await writeFile(file, lineOf(key), { mode: 0o600, flag: "wx" }).catch((error: unknown) => refuseWriting(file, error));
}

/** The key that the flags give, one of the two. */
export async function readKey({ key, keyFile }: { readonly key?: string; readonly keyFile?: string }): Promise<string> {
  if (key !== undefined && keyFile !== undefined)
    throw new InputError("--key and --key-file: both are given; give one of them");
  if (key !== undefined) return parseKey(key, "--key");
  if (keyFile !== undefined) return parseKey(await readText(await openFile(keyFile), MAX_KEY_FILE_BYTES), keyFile);
  throw new InputError("no --key: give the key that `game new` showed, or its file with --key-file");
}

function lineOf(key: string): string {
  return `${key}\n`;
}

/** The path with every link in the part that exists followed. */
function realPlace(path: string): string {
  const whole = resolve(path);
  if (existsSync(whole)) return realpathSync(whole);
  return dirname(whole) === whole ? whole : join(realPlace(dirname(whole)), basename(whole));
}
