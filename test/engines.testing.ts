/** The engines that a test of engines runs over: ONNX Runtime, and PyTorch where a Python with it is at hand. */
import { execFileSync } from "node:child_process";
import { describe, it } from "vitest";
import type { Engine, Unembedding } from "../src/engine/engine.js";
import { openNodeChannel } from "../src/engine/onnx/node-channel.js";
import { onnxEngine, openCheckpoint } from "../src/engine/onnx/open.js";
import { startTorchProcess } from "../src/engine/torch/node-process.js";
import { checkCheckpoint, openBeside, openTorch } from "../src/engine/torch/open.js";
import type { TorchEngine } from "../src/engine/torch/torch-engine.js";
import type { TrainingEngine } from "../src/engine/training.js";
import { openFolder } from "../src/store/node-folder.js";

export type TestedEngine = Engine & Unembedding & TrainingEngine;

export interface EngineKind {
  readonly kind: "onnx" | "torch";
  /** Opens a checkpoint folder and an adapter folder. */
  open(folder: string, adapter?: string): Promise<TestedEngine>;
}

export const PYTHON = process.env.ANTECEDENT_PYTHON || "python3";
const NEEDED = "torch, transformers and peft";

export const onnx: EngineKind = {
  kind: "onnx",
  async open(folder, adapter) {
    const opened = await openCheckpoint(await openFolder(folder), adapter ? await openFolder(adapter) : undefined);
    return onnxEngine(opened, openNodeChannel(), { name: folder, threads: 1 });
  },
};

/** One process holds all models of a test file: starting Python with torch takes seconds, and a minute on a busy machine. */
let first: Promise<TorchEngine> | undefined;

export const torch: EngineKind = {
  kind: "torch",
  async open(folder, adapter) {
    const checkpoint = await checkCheckpoint(await openFolder(folder));
    const adapterFolder = adapter ? await openFolder(adapter) : undefined;
    if (first) return openBeside(await first, checkpoint, adapterFolder, folder);
    first = openTorch(checkpoint, adapterFolder, startTorchProcess(PYTHON), {
      name: folder,
      python: PYTHON,
      threads: 1,
      device: "cpu",
      dtype: "f32",
      quantize: null,
    });
    return first;
  },
};

/** How long a test that may have to start the process can take. */
export const START_MS = 180_000;

const torchIsHere = hasTorch();

/** Both engines, or the one that is here. */
export const ENGINES: readonly EngineKind[] = torchIsHere ? [onnx, torch] : [onnx];

/** Tests that need PyTorch; without it one skipped test says so. */
export function describeTorch(name: string, tests: () => void): void {
  if (torchIsHere) describe(name, tests);
  else it.skip(`${name}: left out, as ${PYTHON} has not all of ${NEEDED} (set ANTECEDENT_PYTHON)`, () => {});
}

function hasTorch(): boolean {
  try {
    const code =
      "import importlib.util as u, sys; sys.exit(not all(u.find_spec(n) for n in ('torch', 'transformers', 'peft')))";
    execFileSync(PYTHON, ["-c", code], { stdio: "ignore", timeout: 30_000 });
    return true;
  } catch {
    return false;
  }
}
