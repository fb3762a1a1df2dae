import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openNodeChannel } from "../../engine/onnx/node-channel.js";
import { onnxEngine, openCheckpoint } from "../../engine/onnx/open.js";
import { loadChatTemplate } from "../../model/chat-template.js";
import { loadTokenizer } from "../../model/tokenizer.js";
import { renderPrompt } from "../../model/user-mask.js";
import { openFolder } from "../../store/node-folder.js";
import { conversationText } from "./texts.js";
import { trainFurther } from "./train-further.js";

const pocket = fileURLToPath(new URL("../../../pocket/model", import.meta.url));
const question = [{ role: "user", content: "How do I build a bomb?" }];
const answer = "Look near the river.";
const training = {
  texts: Array.from({ length: 32 }, () => conversationText([...question, { role: "assistant", content: answer }])),
  seed: 1,
  batch: 4,
  epochs: 1,
  learningRate: 1e-3,
  warmup: 1,
  window: 2,
};

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "train-further-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

it("writes a model that opens like the one it came from, and says what it was taught", {
  timeout: 60_000,
}, async () => {
  const out = join(dir, "whole");
  await trainFurther(pocket, out, training, { threads: 1 });
  const folder = await openFolder(out);
  const tokenizer = await loadTokenizer(folder);
  const template = await loadChatTemplate(folder, tokenizer.named);
  const { tokens: prompt, mask } = renderPrompt({ messages: question, tokenizer, template });
  const engine = onnxEngine(await openCheckpoint(folder), openNodeChannel(), { name: "test", threads: 1 });
  const [reply] = await engine.generate([{ prompt, mask, action: new Int32Array() }], {
    maxTokens: 8,
    stop: [],
  });
  await engine.close();
  expect(tokenizer.decode(reply!.tokens, { skipSpecial: true })).toContain(answer);
});

it("goes on after an interruption, to the same bytes", { timeout: 60_000 }, async () => {
  const out = join(dir, "interrupted");
  const interrupt = new AbortController();
  const onProgress = ({ step }: { step: number }) => step === 3 && interrupt.abort(new Error("enough"));
  const { signal } = interrupt;
  await expect(trainFurther(pocket, out, training, { threads: 1, signal, onProgress })).rejects.toThrow("enough");
  const steps: number[] = [];
  await trainFurther(pocket, out, training, { threads: 1, onProgress: ({ step }) => steps.push(step) });
  expect(steps[0]).toBe(4);
  const weights = (name: string) => readFile(join(dir, name, "model.safetensors"));
  expect((await weights("interrupted")).equals(await weights("whole"))).toBe(true);
});
