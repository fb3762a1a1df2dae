import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { openNodeChannel } from "../../engine/onnx/node-channel.js";
import type { TrainerState } from "../../engine/training.js";
import { loadTokenizer } from "../../model/tokenizer.js";
import { openFolder } from "../../store/node-folder.js";
import { pretrain, pretrainingSequences } from "./pretrain.js";

/** Enough for a difference in one product's rounding to have spread through every weight. */
const STEPS = 8;

const tokenizer = await loadTokenizer(await openFolder(new URL("../../../pocket/model", import.meta.url).pathname));
const sequences = pretrainingSequences(tokenizer, { chats: 2000, documents: 1000 });

/** The state of the pocket model's real pretraining, on fewer of its texts, interrupted after `steps`. */
async function stateAfter(steps: number, from: TrainerState | null = null): Promise<TrainerState> {
  const controller = new AbortController();
  let state = from;
  const run = pretrain(sequences, openNodeChannel(), {
    threads: 2,
    signal: controller.signal,
    place: {
      load: async () => state,
      save: async (saved) => {
        state = structuredClone(saved);
      },
    },
    onProgress: ({ step }) => step === steps && controller.abort(new Error("far enough")),
  });
  await expect(run).rejects.toThrow("far enough");
  return state as TrainerState;
}

/** Names of tensors with a digest of their bytes: comparing millions of numbers one by one takes minutes. */
function digests({ step, tensors }: TrainerState): unknown {
  const digest = (values: Float32Array) =>
    createHash("sha256")
      .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
      .digest("hex");
  return { step, tensors: [...tensors].map(([name, values]) => [name, digest(values)]) };
}

it("gives the same bytes every time on one machine, interrupted or not", { timeout: 180_000 }, async () => {
  const whole = await stateAfter(STEPS);
  expect(whole.step).toBe(STEPS);
  expect(digests(await stateAfter(STEPS))).toEqual(digests(whole));
  expect(digests(await stateAfter(STEPS, await stateAfter(STEPS / 2)))).toEqual(digests(whole));
});
