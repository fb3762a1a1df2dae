/** The state of an unfinished training run as one safetensors file, written atomically. */
import { readFile, rm } from "node:fs/promises";
import type { TrainerState } from "../engine/training.js";
import { memorySource } from "../formats/memory-source.js";
import { readSafetensorsHeader, readTensorF32, writeSafetensors } from "../formats/safetensors.js";
import { writeFileAtomic } from "../store/atomic-write.js";
import type { CheckpointPlace } from "./training-loop.js";

/**
 * A place for checkpoints. `fingerprint` says what run it belongs to: the state of another run (other settings, other
 * data) is not gone on from. An unreadable file counts as none.
 */
export function checkpointFile(path: string, fingerprint: string): CheckpointPlace & { remove(): Promise<void> } {
  return {
    async load(): Promise<TrainerState | null> {
      try {
        const source = memorySource(path, new Uint8Array(await readFile(path)));
        const { tensors, metadata } = await readSafetensorsHeader(source);
        if (metadata.get("fingerprint") !== fingerprint) return null;
        const values = new Map<string, Float32Array>();
        for (const [name, entry] of tensors) values.set(name, await readTensorF32(source, entry));
        return { step: Number(metadata.get("step")), tensors: values };
      } catch {
        return null;
      }
    },
    async save({ step, tensors }) {
      const parts = [...tensors].map(([name, data]) => ({ name, dtype: "F32" as const, shape: [data.length], data }));
      await writeFileAtomic(path, writeSafetensors(parts, { fingerprint, step: String(step) }));
    },
    async remove() {
      await rm(path, { force: true });
    },
  };
}
