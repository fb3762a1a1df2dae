/** What a benchmark's results depend on, as one hash of contents: results of other code are never mixed with today's. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { PACKAGE_ROOT, pocketFiles } from "../terminal/package-files.js";

/** Compiled rooms whose code decides what an audit asks and answers, and how it is scored. */
const ROOMS = ["graph", "random", "world", "model", "engine", "sae", "methods", "audit", "organisms/recovery"] as const;

/** 16 hex digits: the code above, the PyTorch program and the pocket model, its SAE and its prompts. */
export function recoveryFingerprint(): string {
  const folders = [
    ...ROOMS.map((room) => join(PACKAGE_ROOT, "dist", room)),
    join(PACKAGE_ROOT, "python"),
    pocketFiles.model,
    pocketFiles.sae,
    pocketFiles.prompts,
  ];
  return hashFiles(folders.flatMap((folder) => filesUnder(folder).filter((file) => !file.endsWith(".d.ts")))).slice(
    0,
    16,
  );
}

/** SHA-256 over names (below the package) and contents, hex. */
function hashFiles(files: readonly string[]): string {
  const hash = createHash("sha256");
  for (const file of files) {
    const bytes = readFileSync(file);
    hash.update(JSON.stringify([relative(PACKAGE_ROOT, file), bytes.length]));
    hash.update(bytes);
  }
  return hash.digest("hex");
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
