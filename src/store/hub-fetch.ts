/** From a name on the hub to a folder of files in the cache that all Hugging Face libraries share. */
// Not @huggingface/hub: its snapshotDownload neither resumes, checks hashes, locks, selects files nor works offline.
import { existsSync, statSync } from "node:fs";
import { readFile, statfs } from "node:fs/promises";
import { basename, join } from "node:path";
import { InputError } from "../formats/input-error.js";
import { diskFull, downloadBlob, lockPath, partialSize } from "./hub-blob.js";
import {
  blobPath,
  cachedCommit,
  cachedListing,
  linkFile,
  makeCache,
  repositoryFolder,
  snapshotPath,
  writeReference,
} from "./hub-cache.js";
import { type HubAccess, type HubEnvironment, hubAccess } from "./hub-environment.js";
import { etagOf, type HubFile, listFiles, readStoredListing, resolveCommit, storeListing } from "./hub-listing.js";
import { type HubReference, showReference } from "./hub-reference.js";
import { type Hub, openHub } from "./hub-request.js";
import { type HubKind, type Selection, selectByPattern, selectFiles } from "./hub-selection.js";
import { inParallel } from "./in-parallel.js";

/** Files under way at once: enough to fill a line that one transfer does not, few enough for any server. */
const AT_ONCE = 4;

export interface FetchOptions {
  /** What it is wanted for; where it is undefined, what it looks like. */
  readonly kind?: HubKind;
  /** Patterns of paths, in place of what `kind` needs. */
  readonly patterns?: readonly string[];
  readonly environment: HubEnvironment;
  /** The hub to ask; by default the one that the process's environment names. */
  readonly access?: HubAccess;
  readonly signal?: AbortSignal;
  /** In place of the waits between tries, ms. */
  readonly waits?: readonly number[];
  /** Told once, when it is known what is missing, how many bytes of that an earlier try has left. */
  readonly onStart?: (have: number) => void;
  readonly onProgress?: (have: number, total: number) => void;
}

export interface Fetched {
  readonly kind: HubKind | "files";
  readonly commit: string;
  /** The folder or file that the reference names, in the snapshot of the commit. */
  readonly path: string;
  readonly files: readonly {
    readonly path: string;
    readonly bytes: number;
    /** Of large files; the hub has git's own hash of the others. */
    readonly sha256: string | null;
    /** Whether bytes of it came now. */
    readonly downloaded: boolean;
  }[];
}

/**
 * Brings what `reference` names into the cache and returns where it is. The snapshot shows the files once all of them are
 * there; refs/<revision> points at it after that. InputError where the hub does not have it, does not give it, or gives
 * something else than its own list says; an Error where it fails on every try.
 */
export async function fetchFromHub(reference: HubReference, options: FetchOptions): Promise<Fetched> {
  const { environment, kind, patterns, signal } = options;
  const what = showReference(reference);
  const folder = repositoryFolder(environment, reference.repository);
  if (environment.offline) return fromCacheAlone(reference, folder, options);
  const hub = openHub(options.access ?? hubAccess(), signal, options.waits);
  const commit = await resolveCommit(hub, reference.repository, reference.revision);
  const stored = await readStoredListing(folder, commit);
  const listing = stored ?? (await listFiles(hub, reference.repository, commit));
  await makeCache(environment, folder);
  if (!stored) await storeListing(folder, commit, listing);
  const get = (file: HubFile, signal: AbortSignal, onBytes: (count: number) => void) =>
    downloadBlob(hub, {
      url: fileUrl(hub, reference.repository, commit, file),
      file,
      what: `${reference.repository}/${file.path}`,
      blob: blobPath(folder, file),
      lock: lockPath(environment.cache, basename(folder), file),
      signal,
      onBytes,
    });
  const never = signal ?? new AbortController().signal;
  const read = async (file: HubFile) => {
    if (isThere(folder, commit, file)) return readFile(join(snapshotPath(folder, commit), file.path), "utf8");
    await get(file, never, () => {});
    return readFile(blobPath(folder, file), "utf8");
  };
  const selection = patterns
    ? selectByPattern(listing, patterns, what)
    : await selectFiles(listing, reference, kind, read);
  const files = [...new Map(selection.files.map((file) => [file.path, file])).values()];
  const downloaded = await downloadAll(files, folder, commit, get, options, what);
  for (const file of files) await linkFile(environment, folder, commit, file);
  await writeReference(folder, reference.revision, commit);
  return fetched(selection, commit, join(snapshotPath(folder, commit), reference.inside), files, downloaded);
}

type Get = (file: HubFile, signal: AbortSignal, onBytes: (count: number) => void) => Promise<boolean>;

/** The ETags of what had to be downloaded. Files with the same bytes are one blob. */
async function downloadAll(
  files: readonly HubFile[],
  folder: string,
  commit: string,
  get: Get,
  { signal, onStart, onProgress }: FetchOptions,
  what: string,
): Promise<Set<string>> {
  const missing = [
    ...new Map(files.filter((file) => !isThere(folder, commit, file)).map((file) => [etagOf(file), file])).values(),
  ];
  const total = missing.reduce((sum, { size }) => sum + size, 0);
  const partial = await Promise.all(missing.map((file) => partialSize(blobPath(folder, file))));
  const have = partial.reduce((sum, size) => sum + size, 0);
  await checkSpace(join(folder, "blobs"), total - have, what);
  if (missing.length > 0) onStart?.(have);
  let done = 0;
  const downloaded = new Set<string>();
  await inParallel(missing, AT_ONCE, signal, async (file, either) => {
    let own = 0;
    const fresh = await get(file, either, (count) => {
      own += count;
      done += count;
      onProgress?.(done, total);
    });
    if (fresh) downloaded.add(etagOf(file));
    done += file.size - own; // another process may have fetched it
  });
  return downloaded;
}

/** Whether the snapshot or the blobs have the file, as long as it should be. */
function isThere(folder: string, commit: string, file: HubFile): boolean {
  const places = [join(snapshotPath(folder, commit), file.path), blobPath(folder, file)];
  return places.some((path) => statSync(path, { throwIfNoEntry: false })?.size === file.size);
}

/** InputError where the disk has fewer free bytes than are to come. */
async function checkSpace(folder: string, needed: number, what: string): Promise<void> {
  const disk = await statfs(folder).catch(() => undefined);
  const free = disk ? disk.bavail * disk.bsize : Number.POSITIVE_INFINITY;
  if (needed > free) throw diskFull(folder, what, ` (${inGigabytes(needed)} to come, ${inGigabytes(free)} free)`);
}

const inGigabytes = (count: number) => `${(count / 1e9).toFixed(count < 1e9 ? 3 : 1)} GB`;

function fileUrl({ endpoint }: Hub, repository: string, commit: string, { path }: HubFile): string {
  return `${endpoint}/${repository}/resolve/${commit}/${path.split("/").map(encodeURIComponent).join("/")}`;
}

/** With HF_HUB_OFFLINE: what the cache has, where that is all that is needed. */
async function fromCacheAlone(reference: HubReference, folder: string, options: FetchOptions): Promise<Fetched> {
  const { environment, kind, patterns } = options;
  const what = showReference(reference);
  const absent = () =>
    new InputError(
      `${what}: is not wholly in the cache ${environment.cache}, and HF_HUB_OFFLINE is set; unset it to download`,
    );
  const commit = await cachedCommit(folder, reference.revision);
  if (commit === undefined) throw absent();
  const snapshot = snapshotPath(folder, commit);
  const { files, whole } = await cachedListing(folder, commit);
  const choose = async () =>
    patterns
      ? selectByPattern(files, patterns, what)
      : selectFiles(files, reference, kind, ({ path }) => readFile(join(snapshot, path), "utf8"));
  const selection = await choose().catch((error: unknown) => {
    throw whole && error instanceof InputError ? error : absent();
  });
  if (!selection.files.every(({ path }) => existsSync(join(snapshot, path)))) throw absent();
  return fetched(selection, commit, join(snapshot, reference.inside), selection.files, new Set());
}

function fetched(
  { kind }: Selection,
  commit: string,
  path: string,
  files: readonly HubFile[],
  downloaded: ReadonlySet<string>,
): Fetched {
  const shown = files.map((file) => ({
    path: file.path,
    bytes: file.size,
    sha256: file.sha256 ?? null,
    downloaded: downloaded.has(etagOf(file)),
  }));
  return { kind, commit, path, files: shown };
}
