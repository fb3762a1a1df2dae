/**
 * An append-only file of keyed records that survives being killed at any byte: what resumable runs remember their
 * finished work in.
 *
 * File: 8 bytes magic, then records. Record: u32 key bytes, u32 value bytes, u32 CRC-32 of (the two lengths, key, value),
 * key (UTF-8), value; integers little-endian. Opening reads every record; at the first one that is cut short or fails its
 * checksum the file is cut there (`droppedBytes` says how much went), so a torn tail costs the last record only.
 */
import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { crc32 } from "node:zlib";
import { InputError } from "../formats/input-error.js";
import { makeFolders, syncFolder } from "./atomic-write.js";
import { takeLock } from "./lock-file.js";
import { refuseWriting } from "./refused.js";

const MAGIC = new TextEncoder().encode("ANTJRN1\n");
const RECORD_HEADER_BYTES = 12;
/** Keys name work items ("seed-3/layer-5"); a longer length can only be damage. */
const MAX_KEY_BYTES = 64 * 1024;
/** Values are results of one work item, megabytes at most; a longer length can only be damage. */
const MAX_VALUE_BYTES = 1024 * 1024 * 1024;
/** A power cut loses at most this much work; a killed process loses none (the bytes are the kernel's after the write). */
const SYNC_EVERY_MS = 1000;

interface Place {
  readonly offset: number;
  readonly length: number;
}

export class Journal {
  /** Bytes of damaged tail that opening cut off, or reading left out; 0 after a clean end. */
  readonly droppedBytes: number;
  readonly #path: string;
  readonly #release: () => void;
  readonly #places = new Map<string, Place>();
  #file: number | undefined;
  #end: number;
  #unsynced = false;
  #timer: NodeJS.Timeout | undefined;

  private constructor(path: string, file: number, release: () => void, writable: boolean) {
    this.#path = path;
    this.#file = file;
    this.#release = release;
    const size = fstatSync(file).size;
    const head = read(file, 0, Math.min(size, MAGIC.length));
    if (head.some((byte, i) => byte !== MAGIC[i]))
      throw new InputError(`${path}: is not a journal of this program; choose another run folder`);
    this.#end = MAGIC.length;
    const whole = head.length === MAGIC.length;
    while (whole && this.#readRecord(size));
    this.droppedBytes = Math.max(0, size - this.#end);
    if (!writable) return;
    if (!whole) {
      writeFully(file, MAGIC, 0); // new, or killed while it was being made
      this.#unsynced = true;
    }
    ftruncateSync(file, this.#end);
  }

  /** What another process's journal at `path` holds now, as far as it is whole; nothing is written or locked. */
  static read(path: string): Journal {
    const file = openSync(path, "r");
    try {
      return new Journal(path, file, () => {}, false);
    } catch (error) {
      closeSync(file);
      throw error;
    }
  }

  /** Opens or creates the journal at `path` for writing. InputError when it is locked, is another kind of file or cannot be written. */
  static async open(path: string): Promise<Journal> {
    let release = () => {};
    let file: number | undefined;
    try {
      await makeFolders(dirname(path));
      release = takeLock(`${path}.lock`, path);
      file = openSync(path, openFlags(path));
      const journal = new Journal(path, file, release, true);
      await syncFolder(dirname(path));
      return journal;
    } catch (error) {
      if (file !== undefined) closeSync(file);
      release();
      return refuseWriting(path, error);
    }
  }

  /** Number of different keys. */
  get size(): number {
    return this.#places.size;
  }

  has(key: string): boolean {
    return this.#places.has(key);
  }

  /** Every key, in the order of first writing. */
  keys(): IterableIterator<string> {
    return this.#places.keys();
  }

  /** The value last written under `key`, read from disk; undefined when there is none. */
  get(key: string): Uint8Array | undefined {
    const place = this.#places.get(key);
    return place && read(this.#open(), place.offset, place.length);
  }

  /** Writes a record; a later one under the same key replaces it. After the return a kill cannot lose it. */
  append(key: string, value: Uint8Array): void {
    const file = this.#open();
    const keyBytes = new TextEncoder().encode(key);
    if (keyBytes.length > MAX_KEY_BYTES) throw new RangeError(`journal key of ${keyBytes.length} bytes is too long`);
    if (value.length > MAX_VALUE_BYTES) throw new RangeError(`journal value of ${value.length} bytes is too long`);
    const record = new Uint8Array(RECORD_HEADER_BYTES + keyBytes.length + value.length);
    const view = new DataView(record.buffer);
    view.setUint32(0, keyBytes.length, true);
    view.setUint32(4, value.length, true);
    record.set(keyBytes, RECORD_HEADER_BYTES);
    record.set(value, RECORD_HEADER_BYTES + keyBytes.length);
    view.setUint32(8, checksum(record), true);
    writeFully(file, record, this.#end); // a full disk throws here, and the next append overwrites what was written
    this.#places.set(key, {
      offset: this.#end + RECORD_HEADER_BYTES + keyBytes.length,
      length: value.length,
    });
    this.#end += record.length;
    this.#unsynced = true;
    this.#timer ??= setTimeout(() => this.sync(), SYNC_EVERY_MS).unref();
  }

  /** Forces what was appended onto the disk now. */
  sync(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#unsynced && this.#file !== undefined) fsyncSync(this.#file);
    this.#unsynced = false;
  }

  /** Syncs, closes and gives the lock back. Closing twice is fine. */
  close(): void {
    if (this.#file === undefined) return;
    this.sync();
    closeSync(this.#file);
    this.#file = undefined;
    this.#release();
  }

  #open(): number {
    if (this.#file === undefined) throw new Error(`${this.#path}: the journal is closed`);
    return this.#file;
  }

  /** Takes in the record at the current end; false when there is no whole, undamaged one. */
  #readRecord(size: number): boolean {
    const file = this.#open();
    if (size - this.#end < RECORD_HEADER_BYTES) return false;
    const head = new DataView(read(file, this.#end, RECORD_HEADER_BYTES).buffer);
    const keyLength = head.getUint32(0, true);
    const valueLength = head.getUint32(4, true);
    if (keyLength > MAX_KEY_BYTES || valueLength > MAX_VALUE_BYTES) return false;
    const length = RECORD_HEADER_BYTES + keyLength + valueLength;
    if (size - this.#end < length) return false;
    const record = read(file, this.#end, length);
    if (checksum(record) !== head.getUint32(8, true)) return false;
    const key = new TextDecoder().decode(record.subarray(RECORD_HEADER_BYTES, RECORD_HEADER_BYTES + keyLength));
    this.#places.set(key, { offset: this.#end + RECORD_HEADER_BYTES + keyLength, length: valueLength });
    this.#end += length;
    return true;
  }
}

/** CRC-32 of a record without its checksum field. A zero-filled block (a power cut's trace) does not pass: CRC ≠ 0. */
function checksum(record: Uint8Array): number {
  return crc32(record.subarray(RECORD_HEADER_BYTES), crc32(record.subarray(0, 8)));
}

function openFlags(path: string): string {
  try {
    closeSync(openSync(path, "ax"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  return "r+";
}

function read(file: number, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const n = readSync(file, bytes, done, length - done, offset + done);
    if (n === 0) throw new Error(`journal ended at byte ${offset + done} while it was read`);
    done += n;
  }
  return bytes;
}

function writeFully(file: number, bytes: Uint8Array, offset: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done, offset + done);
}
