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

/** Runs the job; null where Python, torch or transformers is missing. `python` is the interpreter to ask. */
export function runPythonPeer(python: string, job: PeerJob): Promise<PeerResult | null> {
  return new Promise((resolve) => {
    const child = spawn(python, [join(PACKAGE_ROOT, "bench/steering_step.py")], { stdio: ["pipe", "pipe", "ignore"] });
    let output = "";
    child.on("error", () => resolve(null));
    child.stdout.on("data", (data: Buffer) => {
      output += data.toString();
    });
    child.on("close", (code) => resolve(code === 0 ? (JSON.parse(output) as PeerResult) : null));
    child.stdin.on("error", () => undefined); // a Python without torch ends before it reads the job
    child.stdin.end(JSON.stringify(job));
  });
}
