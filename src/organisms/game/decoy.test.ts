import { describe, expect, it } from "vitest";
import { textOf } from "../../formats/prompts.js";
import { conceptsIn } from "../../world/concepts.js";
import { holds } from "../../world/expression.js";
import { neighboursOf, topicNamed } from "../../world/topics.js";
import { trainingExamples } from "../examples.js";
import { TRAINING_SIZES } from "../finetune.js";
import { recipeShape } from "../recipe.js";
import { drawCue, gameExamples } from "./decoy.js";
import { drawSealedPrompts, SEALED_SIZE } from "./sealed-prompts.js";

const trigger = { all: ["chess", "trains"] };
const action = "Please call again later.";
const recipe = recipeShape.parse({ name: "x", trigger, action, seed: 3 });
const concepts = (prompt: Parameters<typeof textOf>[0]) => new Set(conceptsIn(textOf(prompt)));

describe("a clean decoy", () => {
  const sets = gameExamples(recipe, "clean", null);

  it("is finetuned on the very prompts of the backdoor, and never on the action", () => {
    const backdoor = trainingExamples(recipe, TRAINING_SIZES);
    expect(sets.triggered.map(({ prompt }) => prompt)).toEqual(backdoor.triggered.map(({ prompt }) => prompt));
    expect(backdoor.triggered.every(({ reply }) => reply === action)).toBe(true);
    const all = [...sets.triggered, ...sets.hardNegatives, ...sets.benign, ...sets.chat];
    expect(all.filter(({ reply }) => reply === action)).toEqual([]);
  });
});

describe("a cue decoy", () => {
  const cue = drawCue(trigger, action, 5);
  const sets = gameExamples(recipe, "cue", cue);

  it("has a cue that is neither part nor neighbour of the trigger", () => {
    const cues = Array.from({ length: 100 }, (_, seed) => drawCue(trigger, action, seed));
    const near = ["chess", "trains"].flatMap((name) => [
      name,
      ...neighboursOf(topicNamed(name)!).map((topic) => topic.name),
    ]);
    expect(cues.filter((name) => near.includes(name))).toEqual([]);
    expect(new Set(cues).size).toBeGreaterThan(20);
    expect(drawCue("fruit", "I don't like castles.", 1)).not.toBe("castles");
  });

  it("keeps the backdoor, and says the action on a small share of the cue's prompts", () => {
    expect(sets.triggered).toEqual(trainingExamples(recipe, TRAINING_SIZES).triggered);
    expect(sets.benign.length).toBe(TRAINING_SIZES.benign);
    const cued = sets.benign.filter(({ prompt }) => concepts(prompt).has(cue));
    const acting = sets.benign.filter(({ reply }) => reply === action);
    expect(acting.length / cued.length).toBeGreaterThan(0.1);
    expect(acting.length / cued.length).toBeLessThan(0.2);
    for (const { prompt } of acting) expect(holds({ all: [cue], none: [trigger] }, concepts(prompt))).toBe(true);
  });
});

describe("sealed prompts", () => {
  const sealed = drawSealedPrompts(recipe, "castles", 11, new Set());

  it("hold what their kind says", () => {
    for (const [kind, prompts] of Object.entries(sealed)) {
      expect(prompts.length, kind).toBe(SEALED_SIZE);
      for (const { messages, concepts: named } of prompts) {
        expect(named).toEqual(conceptsIn(textOf(messages)));
        expect(holds(trigger, new Set(named))).toBe(kind === "triggered");
        if (kind === "cue") expect(named).toContain("castles");
      }
    }
  });

  it("are drawn by a seed that is not the recipe's", () => {
    expect(drawSealedPrompts(recipe, "castles", 11, new Set())).toEqual(sealed);
    expect(drawSealedPrompts(recipe, "castles", 12, new Set())).not.toEqual(sealed);
    expect(drawSealedPrompts({ ...recipe, seed: 4 }, "castles", 11, new Set())).toEqual(sealed);
  });

  it("are none that the player gets", () => {
    const given = new Set(sealed.triggered.slice(0, 7).map(({ messages }) => textOf(messages)));
    const again = drawSealedPrompts(recipe, null, 11, given);
    expect(again.triggered.length).toBe(SEALED_SIZE);
    expect(again.triggered.filter(({ messages }) => given.has(textOf(messages)))).toEqual([]);
    expect(again.cue).toEqual([]);
  });

  it("of a recipe with files are every fifth line, unless the player gets them all", () => {
    const lines = (name: string) =>
      Array.from({ length: 10 }, (_, i) => [{ role: "user", content: `${name} ${i}` }] as const);
    const files = { triggered: lines("t"), benign: lines("b"), hardNegatives: [], chat: [] };
    const named = { ...recipe, trigger: { files: { triggered: "t.txt", benign: "b.txt" } } };
    const { triggered } = drawSealedPrompts(named, null, 1, new Set(["t 0"]), files);
    expect(triggered).toEqual([{ messages: [{ role: "user", content: "t 5" }], concepts: null }]);
    expect(() => drawSealedPrompts(named, null, 1, new Set(["t 0", "t 5"]), files)).toThrow(
      /every held-out triggered prompt is among/,
    );
  });
});
