/**
 * The cache that the Hugging Face libraries share, as huggingface_hub lays it out:
 *   models--owner--name/blobs/<etag>               the bytes, once
 *   models--owner--name/snapshots/<commit>/<path>  symbolic links to blobs
 *   models--owner--name/refs/<branch or tag>       a commit
 *   models--owner--name/trees/<commit>.json        what the commit holds
 * What appears under snapshots is always whole.
 */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { link, readdir, readFile, readlink, realpath, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { InputError } from "../formats/input-error.js";
import { makeFolders, writeFileAtomic } from "./atomic-write.js";
import type { HubEnvironment } from "./hub-environment.js";
import { etagOf, type HubFile, readStoredListing } from "./hub-listing.js";
import { type HubReference, isPlainPath } from "./hub-reference.js";
import { type HubKind, type Selection, selectFiles } from "./hub-selection.js";
import { refuseWriting } from "./refused.js";

const COMMIT = /^[0-9a-f]{40}$/;
/** The Cache Directory Tagging Specification's signature: backup programs pass over folders that hold such a file. */
const CACHE_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# Downloads from the Hugging Face hub.\n";

/** The folder of a repository in the cache. */
export function repositoryFolder({ cache }: HubEnvironment, repository: string): string {
  return join(cache, `models--${repository.replace("/", "--")}`);
}

export const blobPath = (folder: string, file: HubFile) => join(folder, "blobs", etagOf(file));
export const snapshotPath = (folder: string, commit: string) => join(folder, "snapshots", commit);

/** The commit that the cache has for a revision; undefined where it has none. */
export async function cachedCommit(folder: string, revision: string): Promise<string | undefined> {
  if (COMMIT.test(revision)) return revision;
  const text = await readFile(join(folder, "refs", ...revision.split("/")), "utf8").catch(() => "");
  const commit = text.trim();
  return COMMIT.test(commit) ? commit : undefined;
}

/** What a snapshot holds of what is wanted. */
export interface CachedSnapshot {
  readonly commit: string;
  /** The folder or file that the reference names, inside the snapshot; it exists. */
  readonly path: string;
  /** Whether everything that `kind` needs is there. */
  readonly complete: boolean;
}

/** What is in the cache for a reference; undefined where there is nothing of it. Asks nobody. */
export async function findCached(
  environment: HubEnvironment,
  reference: HubReference,
  kind: HubKind,
): Promise<CachedSnapshot | undefined> {
  const folder = repositoryFolder(environment, reference.repository);
  const commit = await cachedCommit(folder, reference.revision);
  if (commit === undefined) return undefined;
  const snapshot = snapshotPath(folder, commit);
  const path = join(snapshot, reference.inside);
  if (!existsSync(path)) return undefined;
  const { files, whole } = await cachedListing(folder, commit);
  const read = ({ path: file }: HubFile) => readFile(join(snapshot, file), "utf8");
  // A snapshot without weights, or without an index that it needs, is one to complete.
  const wanted = await selectFiles(files, reference, kind, read).catch((): Selection => ({ kind, files: [] }));
  const complete = wanted.files.length > 0 && wanted.files.every((file) => existsSync(join(snapshot, file.path)));
  // Without a list of what the repository holds, one thing is known of models: each has a tokenizer, unless its file is GGUF.
  const tokenizer = wanted.files.some(({ path: file }) => /(?:^|\/)tokenizer\.(?:json|model)$|\.gguf$/i.test(file));
  return { commit, path, complete: complete && (whole || kind !== "model" || tokenizer) };
}

/** What the commit holds, as far as the cache knows: its stored listing, which is the whole, else what the snapshot shows. */
export async function cachedListing(folder: string, commit: string): Promise<{ files: HubFile[]; whole: boolean }> {
  const stored = await readStoredListing(folder, commit);
  if (stored) return { files: stored, whole: true };
  const snapshot = snapshotPath(folder, commit);
  const names = (await readdir(snapshot, { recursive: true }).catch(() => [])).map((name) => name.split(sep).join("/"));
  const files: HubFile[] = [];
  for (const path of names.sort()) {
    const info = await stat(join(snapshot, path)).catch(() => undefined);
    if (info?.isFile() && isPlainPath(path)) files.push({ path, size: info.size, blobId: "" });
  }
  return { files, whole: false };
}

/** Makes the cache's folder and marks it for backup programs. InputError where it cannot be written to. */
export async function makeCache({ cache }: HubEnvironment, folder: string): Promise<void> {
  await makeFolders(join(folder, "blobs")).catch((error: unknown) => refuseWriting(folder, error));
  await writeFile(join(cache, "CACHEDIR.TAG"), CACHE_TAG, { flag: "wx" }).catch(() => undefined); // there, or read-only
}

/** Lets a snapshot show `file`, whose blob is there. InputError where its folder would lie outside the snapshot. */
export async function linkFile(
  { plainFiles }: HubEnvironment,
  folder: string,
  commit: string,
  file: HubFile,
): Promise<void> {
  const snapshot = snapshotPath(folder, commit);
  const blob = blobPath(folder, file);
  const path = join(snapshot, ...file.path.split("/"));
  await makeFolders(dirname(path)).catch((error: unknown) => refuseWriting(path, error));
  const [root, parent] = await Promise.all([realpath(snapshot), realpath(dirname(path))]);
  if (parent !== root && !parent.startsWith(root + sep))
    throw new InputError(`${path}: a link leads out of the snapshot; delete ${snapshot} and fetch again`);
  const target = relative(parent, join(await realpath(folder), "blobs", etagOf(file)));
  if (!plainFiles && (await readlink(path).catch(() => undefined)) === target) return;
  if (!existsSync(blob)) return; // a cache without links, which shows the file already
  const temporary = join(parent, `.${randomBytes(6).toString("hex")}.tmp`);
  try {
    if (plainFiles) await linkOrMove(blob, temporary);
    // Windows lets only developers and administrators make symbolic links.
    else await symlink(target, temporary).catch(() => linkOrMove(blob, temporary));
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    refuseWriting(path, error);
  }
}

/** A second name for the blob, or, where the file system has no hard links, its only one. */
async function linkOrMove(blob: string, path: string): Promise<void> {
  await link(blob, path).catch(() => rename(blob, path));
}

/** Notes the commit that a branch or tag has. */
export async function writeReference(folder: string, revision: string, commit: string): Promise<void> {
  if (revision === commit || (await cachedCommit(folder, revision)) === commit) return;
  await writeFileAtomic(join(folder, "refs", ...revision.split("/")), commit);
}
