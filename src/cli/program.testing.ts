/** Runs the built program as a user would. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { PACKAGE_ROOT } from "./terminal/package-files.js";

/** A tiny checkpoint with adapter and SAE; test/goldens/checkpoint.py wrote it. */
const GOLDENS = join(PACKAGE_ROOT, "test/goldens/checkpoint");
export const golden = (file: string) => join(GOLDENS, file);

/** A program that has not ended by then hangs. */
const TIMEOUT_MS = 50_000;

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly cwd?: string;
  /** Instead of this process's, in which the hub is not asked. */
  readonly env?: NodeJS.ProcessEnv;
  /** Milliseconds, where a busy machine may need more than TIMEOUT_MS. */
  readonly timeout?: number;
}

export function antecedent(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const program = join(PACKAGE_ROOT, "bin/antecedent.js");
  const env = { ...process.env, HF_HUB_OFFLINE: "1" }; // no test may depend on what lies on the hub
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [program, ...args],
      { timeout: TIMEOUT_MS, maxBuffer: 1 << 28, env, ...options },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
        resolve({ code, stdout, stderr });
      },
    );
  });
}

/** The document that a command prints with --json. Fails with what the program said. */
export async function antecedentJson<T>(args: readonly string[], options: RunOptions = {}): Promise<T> {
  const { code, stdout, stderr } = await antecedent([...args, "--json"], options);
  if (code !== 0) throw new Error(`exit ${code}: ${stderr}`);
  return JSON.parse(stdout) as T;
}
