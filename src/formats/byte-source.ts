/**
 * Random access to the bytes of one file, wherever it lies (a disk file, a browser File, a test's buffer).
 * Parsers in this folder take a ByteSource, so none of them knows of Node.
 */
export interface ByteSource {
  /** What to call the source in messages: a path as the user knows it. */
  readonly name: string;
  /** Length in bytes. */
  readonly size: number;
  /** Absolute real path where the operating system can map the file, undefined elsewhere. */
  readonly realPath?: string;
  /** Bytes [offset, offset + length). Rejects with InputError when the range is outside the source. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** A folder of files by relative name: a checkpoint, an adapter, an SAE. */
export interface FileFolder {
  /** What to call the folder in messages. */
  readonly name: string;
  /** Absolute path where it lies on a disk, undefined elsewhere. */
  readonly path?: string;
  /** Whether `file` is there. */
  has(file: string): Promise<boolean>;
  /** Opens `file`; InputError when it is missing. */
  open(file: string): Promise<ByteSource>;
  /** Names of the files directly inside (no folders), sorted. */
  list(): Promise<string[]>;
}
