/** Models that other programs downloaded: the cache that the Hugging Face libraries share. */
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** What a hub id looks like: owner/name. */
export const HUB_ID = /^[\w.-]+\/[\w.-]+$/;

/** The folder of the cached main revision of `id`, undefined where it is not cached. */
export function cachedModel(id: string, environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const home = environment.HF_HOME ?? join(homedir(), ".cache", "huggingface");
  const repository = join(environment.HF_HUB_CACHE ?? join(home, "hub"), `models--${id.replace("/", "--")}`);
  const reference = join(repository, "refs", "main");
  let revision: string;
  try {
    revision = readFileSync(reference, "utf8").trim();
  } catch {
    return undefined; // not there, or not a file that can be read: then nothing is cached
  }
  const folder = join(repository, "snapshots", revision);
  return /^[0-9a-f]+$/.test(revision) && existsSync(join(folder, "config.json")) ? folder : undefined;
}
