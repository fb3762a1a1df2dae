/** The same steering steps in PyTorch, where Python with transformers is at hand. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { PACKAGE_ROOT } from "../terminal/package-files.js";

export interface PeerJob {
  /** Checkpoint folder. */
  readonly model: string;
  readonly adapter: string | null;
  readonly layer: number;
  readonly device: string;
  readonly dtype: string;
  readonly quantize: string | null;
  readonly threads: number;
  readonly steps: number;
  readonly sequences: readonly { prompt: number[]; mask: number[]; action: number[] }[];
}

export interface PeerResult {
  /** Wall time of each step. */
  readonly seconds: readonly number[];
  readonly loss: number;
  readonly gradient: readonly number[];
  /** Most memory of the process, or of the GPU, over the steps. */
  readonly peakBytes: number;
}

/** Characters kept of what it says on stderr. */
const MOST_SAID = 10_000;

const lastLine = (text: string) => text.trim().split("\n").at(-1) || undefined;

/** Runs the job; why it could not, in words, where Python, torch or transformers is missing or fails. `python` is the interpreter to ask. */
export function runPythonPeer(python: string, job: PeerJob): Promise<PeerResult | string> {
  return new Promise((resolve) => {
    const child = spawn(python, [join(PACKAGE_ROOT, "python/steering_step.py")], { stdio: ["pipe", "pipe", "pipe"] });
    let [output, said] = ["", ""];
    child.on("error", (error) => resolve(`${python}: ${error.message}`));
    child.stderr.on("data", (data: Buffer) => {
      said = (said + data.toString()).slice(-MOST_SAID);
    });
    child.stdout.on("data", (data: Buffer) => {
      output += data.toString();
    });
    child.on("close", (code) =>
      resolve(code === 0 ? (JSON.parse(output) as PeerResult) : `${python}: ${lastLine(said) ?? `exit ${code}`}`),
    );
    child.stdin.on("error", () => undefined); // a Python without torch ends before it reads the job
    child.stdin.end(JSON.stringify(job));
  });
}
