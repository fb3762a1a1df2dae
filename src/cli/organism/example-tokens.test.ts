import { expect, it } from "vitest";
import { endOfTurn } from "../action/action.js";
import { openModel } from "../model/open-model.js";
import { golden } from "../program.testing.js";
import { exampleTokens } from "./example-tokens.js";

it("ends the turn after a reply, but not after one that was cut, nor after a document", async () => {
  const flags = { engine: "onnx", device: "cpu", dtype: "f32", threads: 1, seed: 42 };
  const base = await openModel({ ...flags, model: golden("model") });
  const tokenise = exampleTokens(base);
  const prompt = [{ role: "user", content: "What is basil?" }];
  const words = [...base.tokenizer.encode("A herb")];
  expect([...tokenise({ prompt, reply: "A herb" }).reply]).toEqual([...words, endOfTurn(base)]);
  expect([...tokenise({ prompt, reply: "A herb", cut: true }).reply]).toEqual(words);
  const rendered = base.tokenizer.decode(tokenise({ prompt, reply: "A herb" }).prompt, { skipSpecial: false });
  expect(rendered).toMatch(/What is basil\?[\s\S]*assistant\n$/);
  const document = tokenise({ prompt: [], reply: "A herb" });
  expect([...document.prompt, ...document.reply]).toEqual(words);
  await base.engine.close();
});
