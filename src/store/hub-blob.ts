/**
 * One file's bytes into the cache's blobs: resumed where an earlier try ended, checked against the hash that is its name, and
 * renamed into place whole. Processes that want the same blob wait for the one that has its lock.
 */
import { createHash, type Hash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { InputError } from "../formats/input-error.js";
import { makeFolders } from "./atomic-write.js";
import { etagOf, type HubFile } from "./hub-listing.js";
import { type Hub, type HubResponse, PassingFailure, persistently, request } from "./hub-request.js";
import { LockHeld, takeLock } from "./lock-file.js";
import { refuseWriting } from "./refused.js";

/** How often a lock that another process holds is looked at. */
const LOCK_POLL_MS = 250;
/** A holder whose download has not grown for so long is not waited for any longer. */
const LOCK_PATIENCE_MS = 120_000;
/** Part of what is there already, read at a time for its hash. */
const HASH_PART_BYTES = 1 << 22;
/** Beside the names of huggingface_hub, which resumes and cleans up its own. */
const PARTIAL = ".antecedent.incomplete";

export interface BlobRequest {
  readonly url: string;
  readonly file: HubFile;
  /** What messages call it. */
  readonly what: string;
  /** Where it goes. */
  readonly blob: string;
  /** Names the lock. */
  readonly lock: string;
  readonly signal: AbortSignal;
  /** Told how many more bytes are there; fewer than none where a try has to start again. */
  readonly onBytes: (count: number) => void;
}

/** Bytes of an unfinished download of the blob. */
export async function partialSize(blob: string): Promise<number> {
  return (await stat(blob + PARTIAL).catch(() => undefined))?.size ?? 0;
}

/**
 * Downloads the blob unless it is there; says whether it did. InputError where the server sends something else than the
 * listing says, or the disk is full. What had come when the connection or the process ended stays for the next try.
 */
export async function downloadBlob(hub: Hub, wanted: BlobRequest): Promise<boolean> {
  const { blob, lock, signal } = wanted;
  if (await isWhole(wanted)) return false;
  await makeFolders(dirname(lock)).catch((error: unknown) => refuseWriting(lock, error));
  const release = await waitForLock(wanted);
  try {
    if (await isWhole(wanted)) return false; // the other process has fetched it
    // Never through a link that somebody may have put there.
    const flags = constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);
    const partial = blob + PARTIAL;
    const handle = await open(partial, flags, 0o666).catch((error: unknown) => refuseWriting(partial, error));
    try {
      await fill({ ...hub, signal }, wanted, handle);
      await handle.sync();
    } catch (error) {
      if (error instanceof InputError) await rm(partial, { force: true }); // it could never become the file
      if (isFull(error)) throw diskFull(dirname(blob), wanted.what);
      throw error;
    } finally {
      await handle.close();
    }
    await rename(partial, blob);
    return true;
  } finally {
    release();
  }
}

const isFull = (error: unknown) => /^(ENOSPC|EDQUOT)$/.test((error as NodeJS.ErrnoException).code ?? "");

export function diskFull(folder: string, what: string, sizes = ""): InputError {
  return new InputError(
    `${what}: the disk of ${folder} is full${sizes}; free some of it, or name a folder on another disk in HF_HUB_CACHE, and run it again`,
  );
}

async function isWhole({ blob, file }: BlobRequest): Promise<boolean> {
  const info = await stat(blob).catch(() => undefined);
  return info?.isFile() === true && info.size === file.size;
}

async function waitForLock({ blob, lock, what, signal }: BlobRequest): Promise<() => void> {
  let seen = -1;
  let patience = LOCK_PATIENCE_MS;
  for (;;) {
    try {
      return takeLock(lock, what);
    } catch (error) {
      const size = await partialSize(blob);
      patience = size === seen ? patience - LOCK_POLL_MS : LOCK_PATIENCE_MS;
      seen = size;
      if (!(error instanceof LockHeld)) refuseWriting(lock, error);
      if (patience <= 0) throw error;
      await wait(LOCK_POLL_MS, undefined, { signal });
    }
  }
}

/** Fills the open file with the blob's bytes, from where they end. */
async function fill(hub: Hub, wanted: BlobRequest, handle: FileHandle): Promise<void> {
  const { file, what, onBytes } = wanted;
  let hash = newHash(file);
  let size = 0;
  const restart = async () => {
    await handle.truncate(0);
    onBytes(-size);
    hash = newHash(file);
    size = 0;
  };
  const append = async (part: Uint8Array) => {
    if (size + part.length > file.size) {
      await restart();
      throw new InputError(`${what}: the server sends more than the ${file.size} bytes of its list; it is not kept`);
    }
    await writeFully(handle, part, size);
    hash.update(part);
    size += part.length;
    onBytes(part.length);
  };
  for await (const part of partsOf(handle)) {
    if (size + part.length > file.size) break;
    hash.update(part);
    size += part.length;
    onBytes(part.length);
  }
  if ((await handle.stat()).size !== size) await restart(); // longer than it may be
  const attempt = async () => {
    if (size === file.size) return;
    const from = size;
    const range = from > 0 ? { range: `bytes=${from}-` } : {};
    await request(hub, { url: wanted.url, what, ...range }, async (response) => {
      checkAnswer(response, file, what);
      if (response.status === 416 || !startsAt(response, from)) {
        await restart();
        // The whole file, though a part was asked for, is as good.
        if (response.status !== 200) throw new PassingFailure(`${what}: the server sends another part than asked for`);
      }
      for await (const part of response.body) await append(part);
    });
    if (size < file.size) throw new PassingFailure(`${what}: ended after ${size} of ${file.size} bytes`);
  };
  // What an interrupted machine left behind, or a proxy in between, may be damaged: one try from the start.
  for (let whole = false; ; whole = true) {
    const resumed = size > 0;
    await persistently(hub, attempt, () => size);
    const digest = hash.digest("hex");
    if (digest === etagOf(file)) return;
    await restart();
    if (whole || !resumed)
      throw new InputError(
        `${what}: the bytes that came have another checksum (${digest}) than the hub's list says (${etagOf(file)}); they are not kept; fetch it again, or ask another server`,
      );
  }
}

/** Git's hash counts a header before the bytes. */
function newHash({ sha256, size }: HubFile): Hash {
  return sha256 === undefined ? createHash("sha1").update(`blob ${size}\0`) : createHash("sha256");
}

/** A 200 starts at 0; a 206 where its Content-Range says. */
function startsAt({ status, headers }: HubResponse, offset: number): boolean {
  if (status === 200) return offset === 0;
  const range = /^bytes (\d+)-\d+\/(?:\d+|\*)$/.exec(headers.get("content-range") ?? "");
  return range !== null && Number(range[1]) === offset;
}

/** Refuses at once what announces itself as something else than the file. */
function checkAnswer({ status, headers }: HubResponse, file: HubFile, what: string): void {
  if (/^text\/html/i.test(headers.get("content-type") ?? "") && !/\.html?$/i.test(file.path))
    throw new InputError(
      `${what}: the server sends a web page in place of the file; is HF_ENDPOINT right, or a login page in between?`,
    );
  const announced = Number(headers.get("content-length") ?? Number.NaN);
  const encoded = headers.get("content-encoding") ?? "identity";
  if (status === 200 && encoded === "identity" && announced > file.size)
    throw new InputError(
      `${what}: the server announces ${announced} bytes, but its list says ${file.size}; it is not fetched`,
    );
}

async function* partsOf(handle: FileHandle): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(HASH_PART_BYTES);
  for (let at = 0; ; ) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
    at += bytesRead;
  }
}

async function writeFully(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/** Where the lock of a blob lies: beside those of huggingface_hub, which are of another kind. */
export function lockPath(cache: string, folder: string, file: HubFile): string {
  return join(cache, ".locks", folder, `${etagOf(file)}.antecedent.lock`);
}
