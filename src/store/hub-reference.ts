/** What names something on the hub: owner/name, perhaps with a folder or file inside and a revision. */
import { InputError, quote } from "../formats/input-error.js";

const DEFAULT_REVISION = "main";

export interface HubReference {
  /** owner/name */
  readonly repository: string;
  /** Folder or file inside, "" for the whole. */
  readonly inside: string;
  /** Branch, tag or commit. */
  readonly revision: string;
}

/** What the hub accepts as the name of an owner or a repository. */
const NAME = /^(?!.*(--|\.\.))[A-Za-z0-9_](?:[\w.-]{0,94}[A-Za-z0-9_])?$/;
/** Git allows more; branch names on the hub do not need it. */
const REVISION = /^[\w.+-]+(?:\/[\w.+-]+)*$/;
const MAX_REVISION = 200;

/** "owner/name", "owner/name/folder" or either with "@revision"; undefined for what cannot be one. */
export function parseHubReference(text: string): HubReference | undefined {
  const at = text.lastIndexOf("@");
  const [path, revision] = at === -1 ? [text, DEFAULT_REVISION] : [text.slice(0, at), text.slice(at + 1)];
  const [owner, name, ...inside] = path.split("/");
  if (owner === undefined || name === undefined || !NAME.test(owner) || !NAME.test(name)) return undefined;
  if (inside.at(-1) === "") inside.pop();
  if (inside.length > 0 && !isPlainPath(inside.join("/"))) return undefined;
  if (!REVISION.test(revision) || revision.length > MAX_REVISION || !isPlainPath(revision)) return undefined;
  return { repository: `${owner}/${name}`, inside: inside.join("/"), revision };
}

/** The same, where nothing else is meant. */
export function requireHubReference(text: string): HubReference {
  const reference = parseHubReference(text);
  if (reference) return reference;
  throw new InputError(
    `${quote(text)}: is no name on the Hugging Face hub; give owner/name, owner/name/folder or either with @revision`,
  );
}

export function showReference({ repository, inside, revision }: HubReference): string {
  return `${repository}${inside && `/${inside}`}${revision === DEFAULT_REVISION ? "" : `@${revision}`}`;
}

/** Longest path in a repository; file systems take 255 bytes a name and about 4,096 in all. */
const MAX_PATH = 1000;
const MAX_PART = 255;

/** Whether a relative path with forward slashes stays where it is joined to, on every system. */
export function isPlainPath(path: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  if (path.length > MAX_PATH || /[\u0000-\u001f\u007f]|^[A-Za-z]:/.test(path)) return false;
  return path.split(/[\\/]/).every((part) => part !== "" && part !== "." && part !== ".." && part.length <= MAX_PART);
}
