/**
 * What a repository holds at a commit: asked of the hub, and kept beside the snapshots as huggingface_hub keeps it
 * (trees/<commit>.json), since a commit never changes. Names, hashes and sizes are a stranger's and are checked here.
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { InputError, quote } from "../formats/input-error.js";
import { jsonOrNothing } from "../formats/json.js";
import { wrongInWords } from "../formats/shape.js";
import { writeFileAtomic } from "./atomic-write.js";
import { isPlainPath, showReference } from "./hub-reference.js";
import { type Hub, persistently, request, textOf } from "./hub-request.js";

/** The hub asks for fewer than 100,000 files a repository. */
const MAX_FILES = 200_000;
/** Of 1,000 entries each, folders included. */
const MAX_PAGES = 1000;
/** A page of 1,000 files has about 300 KB; the answer about a revision names every file once. */
const MAX_ANSWER_BYTES = 64 << 20;
/** Plain downloads of the hub end at 50 GB (its content network's limit); the largest shards of real models have 10. */
const MAX_FILE_BYTES = 50e9;
const FORMAT_VERSION = 1;

const sha1 = z.string().regex(/^[0-9a-f]{40}$/, "must be a SHA-1 of 40 hexadecimal digits");
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "must be a SHA-256 of 64 hexadecimal digits");
const size = z
  .int()
  .min(0)
  .max(MAX_FILE_BYTES, `must be at most ${MAX_FILE_BYTES / 1e9} GB`);
const path = z.string().refine(isPlainPath, "must be a path inside the repository");
const revisionAnswer = z.looseObject({ sha: sha1 });
const entry = z.discriminatedUnion("type", [
  z.looseObject({
    type: z.literal("file"),
    path,
    oid: sha1,
    size,
    lfs: z.looseObject({ oid: sha256, size }).nullish(),
    xetHash: sha256.nullish(),
  }),
  z.looseObject({ type: z.literal("other"), path }),
]);
/** Folders, and whatever the hub may list one day, are passed over. */
const isFile = (value: unknown) => (value as { type?: unknown } | null)?.type === "file";
const treeAnswer = z.array(
  z.preprocess((value) => (isFile(value) ? value : { ...Object(value), type: "other" }), entry),
);
const storedTree = z.looseObject({
  format_version: z.literal(FORMAT_VERSION),
  files: z.record(
    path,
    z.looseObject({
      size,
      blob_id: sha1,
      lfs_sha256: sha256.nullish(),
      lfs_size: size.nullish(),
      xet_hash: sha256.nullish(),
    }),
  ),
});

/** A file of a repository. */
export interface HubFile {
  readonly path: string;
  /** Bytes of the file itself, also where git holds a pointer. */
  readonly size: number;
  /** Git's hash: of the file, or of the pointer that stands for it. */
  readonly blobId: string;
  /** Of files that git holds a pointer to. */
  readonly sha256?: string;
  /** Kept for huggingface_hub. */
  readonly xetHash?: string;
}

/** What the hub's ETag says, and so the name of the blob: the SHA-256 of large files, git's hash of others. */
export const etagOf = ({ sha256, blobId }: HubFile) => sha256 ?? blobId;

/** The commit that a branch, tag or commit names. */
export async function resolveCommit(hub: Hub, repository: string, revision: string): Promise<string> {
  if (sha1.safeParse(revision).success) return revision;
  const what = showReference({ repository, inside: "", revision });
  const url = `${hub.endpoint}/api/models/${repository}/revision/${encodeURIComponent(revision)}`;
  const { value } = await askJson(hub, url, what, revisionAnswer);
  return value.sha;
}

/** Every file of a commit, sorted by path. */
export async function listFiles(hub: Hub, repository: string, commit: string): Promise<HubFile[]> {
  const files = new Map<string, HubFile>();
  let url: string | undefined = `${hub.endpoint}/api/models/${repository}/tree/${commit}?recursive=true`;
  for (let pages = 0; url !== undefined; pages++) {
    if (pages === MAX_PAGES || files.size > MAX_FILES)
      throw new InputError(`${repository}: the hub's list of files has no end; is HF_ENDPOINT right?`);
    const page: Answer<z.infer<typeof treeAnswer>> = await askJson(hub, url, repository, treeAnswer);
    for (const entry of page.value) {
      if (entry.type !== "file") continue;
      const { path, oid, lfs, xetHash } = entry;
      files.set(path, {
        path,
        size: lfs?.size ?? entry.size,
        blobId: oid,
        ...(lfs ? { sha256: lfs.oid } : {}),
        ...(xetHash ? { xetHash } : {}),
      });
    }
    url = page.next;
  }
  return [...files.values()].sort(byPath);
}

/** The list that is kept in the repository's folder of the cache; undefined where there is none that can be read. */
export async function readStoredListing(folder: string, commit: string): Promise<HubFile[] | undefined> {
  const text = await readFile(listingPath(folder, commit), "utf8").catch(() => undefined);
  const parsed = storedTree.safeParse(jsonOrNothing(text ?? ""));
  if (!parsed.success) return undefined;
  return Object.entries(parsed.data.files)
    .map(([path, { size, blob_id, lfs_sha256, lfs_size, xet_hash }]) => ({
      path,
      size: lfs_size ?? size,
      blobId: blob_id,
      ...(lfs_sha256 ? { sha256: lfs_sha256 } : {}),
      ...(xet_hash ? { xetHash: xet_hash } : {}),
    }))
    .sort(byPath);
}

export async function storeListing(folder: string, commit: string, files: readonly HubFile[]): Promise<void> {
  const entries = files.map(({ path, size, blobId, sha256, xetHash }) => [
    path,
    {
      size,
      blob_id: blobId,
      ...(sha256 === undefined ? {} : { lfs_sha256: sha256, lfs_size: size }),
      ...(xetHash === undefined ? {} : { xet_hash: xetHash }),
    },
  ]);
  const tree = { format_version: FORMAT_VERSION, files: Object.fromEntries(entries) };
  await writeFileAtomic(listingPath(folder, commit), JSON.stringify(tree, null, 1));
}

const listingPath = (folder: string, commit: string) => join(folder, "trees", `${commit}.json`);

/** By UTF-16 units, as huggingface_hub's sorted() does for all but exotic names. */
const byPath = (a: HubFile, b: HubFile) => (a.path < b.path ? -1 : 1);

interface Answer<T> {
  readonly value: T;
  /** Where the next page is. */
  readonly next: string | undefined;
}

async function askJson<T>(hub: Hub, url: string, what: string, schema: z.ZodType<T>): Promise<Answer<T>> {
  const { text, headers } = await persistently(hub, () =>
    request(hub, { url, what }, async (response) => ({
      text: await textOf(response, what, MAX_ANSWER_BYTES),
      headers: response.headers,
    })),
  );
  const json = jsonOrNothing(text);
  if (json === undefined) {
    const page = /^\s*</.test(text) ? "with a web page, not with JSON" : "with something else than JSON";
    throw new InputError(`${what}: ${hub.endpoint} answers ${page}; is HF_ENDPOINT right, or a login page in between?`);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return { value: parsed.data, next: nextPage(hub, headers, url, what) };
  const issue = parsed.error.issues[0]!;
  const [index] = issue.path;
  const named =
    typeof index === "number" && Array.isArray(json) ? (json[index] as { path?: unknown } | null)?.path : "";
  const where = [...(typeof named === "string" && named ? [quote(named)] : []), issue.path.at(-1) ?? "the answer"];
  throw new InputError(`${what}: the hub's list is refused: ${where.join(": ")}: ${wrongInWords(issue)}`);
}

/** The page after this one, from a header such as `<https://…>; rel="next"`. */
function nextPage(hub: Hub, headers: Headers, url: string, what: string): string | undefined {
  const link = /<([^<>]+)>\s*;\s*rel="?next"?/.exec(headers.get("link") ?? "")?.[1];
  if (link === undefined) return undefined;
  const next = URL.canParse(link, url) ? new URL(link, url) : undefined;
  if (next?.origin !== new URL(hub.endpoint).origin)
    throw new InputError(`${what}: the hub's list of files goes on at another address; is HF_ENDPOINT right?`);
  return next.href;
}
