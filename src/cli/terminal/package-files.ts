/** Where the files that ship with the package lie. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The package's root: three folders above the compiled file as above the source. */
export const PACKAGE_ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const POCKET = join(PACKAGE_ROOT, "pocket");

export const pocketFiles = {
  model: join(POCKET, "model"),
  sae: join(POCKET, "sae"),
  prompts: join(POCKET, "prompts"),
  organisms: join(POCKET, "organisms"),
  recipes: join(POCKET, "recipes"),
} as const;

/** Names of the prompt sets that come with the package. */
export function builtInPromptSets(): string[] {
  return filesIn(pocketFiles.prompts)
    .filter((file) => file.endsWith(".jsonl"))
    .map((file) => file.slice(0, -".jsonl".length));
}

/** Names of the organisms that come with the package. */
export function builtInOrganisms(): string[] {
  return filesIn(pocketFiles.organisms).filter((name) =>
    existsSync(join(pocketFiles.organisms, name, "adapter_config.json")),
  );
}

/** Whether `path` is a folder; not, where it cannot be one (too long a name) or cannot be looked at. */
export function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** The package's version. */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(join(PACKAGE_ROOT, "package.json"), "utf8")) as { version: string }).version;
}

function filesIn(folder: string): string[] {
  return isFolder(folder) ? readdirSync(folder).sort() : [];
}
