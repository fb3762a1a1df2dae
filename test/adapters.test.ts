/** PEFT adapters of many kinds against peft: expected values come from test/goldens/adapters.py. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { openNodeChannel } from "../src/engine/onnx/node-channel.js";
import { onnxEngine, openCheckpoint } from "../src/engine/onnx/open.js";
import { openFolder } from "../src/store/node-folder.js";

const goldens = new URL("./goldens/", import.meta.url).pathname;
const { sequences, adapters } = JSON.parse(readFileSync(`${goldens}adapters/expected.json`, "utf8")) as {
  sequences: [number[], number[]][];
  adapters: Record<string, { base: string; logprobs: number[][] }>;
};

it.each(Object.keys(adapters))("%s scores as peft does", async (name) => {
  const { base, logprobs } = adapters[name]!;
  const opened = await openCheckpoint(
    await openFolder(`${goldens}decoder/${base}`),
    await openFolder(`${goldens}adapters/${name}`),
  );
  const engine = onnxEngine(opened, openNodeChannel(), { name, threads: 1 });
  const scores = await engine.score(
    sequences.map(([prompt, action]) => ({
      prompt: Int32Array.from(prompt),
      mask: new Uint8Array(prompt.length),
      action: Int32Array.from(action),
    })),
  );
  await engine.close();
  scores.forEach(({ tokenLogprobs }, i) => {
    const want = logprobs[i]!;
    const scale = Math.max(...want.map(Math.abs));
    want.forEach((value, j) => expect(Math.abs(tokenLogprobs[j]! - value) / scale).toBeLessThan(5e-5));
  });
});
