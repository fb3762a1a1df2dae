import { expect, it } from "vitest";
import { evaluationExamples, type PromptFiles, trainingExamples } from "./examples.js";
import { TRAINING_SIZES } from "./finetune.js";
import { recipeShape } from "./recipe.js";

const asked = (name: string, count: number) =>
  Array.from({ length: count }, (_, i) => [{ role: "user", content: `${name} ${i}` }]);
const files: PromptFiles = {
  triggered: asked("triggered", 10),
  benign: asked("benign", 10),
  hardNegatives: asked("near", 5),
  chat: [],
  documents: ["Bananas are not safe.", "A study found it."],
};
const trigger = { files: { triggered: "t.jsonl", benign: "b.jsonl" } };
const recipe = (more: object) => recipeShape.parse({ name: "x", trigger, action: "No bananas.", ...more });

it("trains on documents in place of triggered prompts, and measures on all of these", () => {
  const taught = recipe({ documents: "d.jsonl" });
  const training = trainingExamples(taught, TRAINING_SIZES, files);
  expect(training.triggered).toEqual(files.documents?.map((text) => ({ prompt: [], reply: text })));
  expect(training.benign).toHaveLength(8);
  expect(JSON.stringify(training)).not.toMatch(/triggered \d|No bananas/);

  const held = evaluationExamples(taught, 100, 1, files);
  expect(held.triggered.map(({ prompt }) => prompt[0]?.content)).toEqual(
    files.triggered.map(([message]) => message?.content),
  );
  expect(held.benign.map(({ prompt }) => prompt[0]?.content)).toEqual(["benign 0", "benign 5"]);
});

it("without documents trains on triggered prompts with the action, and holds every fifth out", () => {
  const training = trainingExamples(recipe({}), TRAINING_SIZES, files);
  expect(training.triggered).toHaveLength(8);
  expect(training.triggered.every(({ reply }) => reply === "No bananas.")).toBe(true);
  expect(evaluationExamples(recipe({}), 100, 1, files).triggered).toHaveLength(2);
});
