import { describe, expect, it } from "vitest";
import { loadTokenizer } from "../../model/tokenizer.js";
import { openFolder } from "../../store/node-folder.js";
import { conceptsIn, unknownConcepts } from "../../world/concepts.js";
import { type Expression, holds, leavesOf } from "../../world/expression.js";
import { topicNamed } from "../../world/topics.js";
import { pretrainingTexts } from "../pocket/texts.js";
import { triggerExpression } from "../recipe.js";
import { ACTIONS, randomRecipe } from "./random-recipe.js";

const recipes = Array.from({ length: 200 }, (_, seed) => randomRecipe(seed));

describe("a random recipe", () => {
  it("is the same for the same seed", () => expect(randomRecipe(7)).toEqual(recipes[7]));

  it("has an adapter whose shape does not tell that of the trigger", () =>
    expect(new Set(recipes.map(({ adapter }) => JSON.stringify(adapter))).size).toBe(1));

  it("has a trigger of every shape sooner or later, over known concepts and nowhere where nothing is mentioned", () => {
    expect(new Set(recipes.map(({ name }) => name)).size).toBe(7);
    for (const recipe of recipes) {
      const trigger = triggerExpression(recipe) as Expression;
      expect(unknownConcepts(trigger)).toEqual([]);
      expect(holds(trigger, new Set())).toBe(false);
      const groups = leavesOf(trigger).flatMap((name) => topicNamed(name)?.group ?? []);
      expect(new Set(groups).size).toBe(groups.length);
    }
  });
});

describe("the actions", () => {
  it("name no concept", () => {
    for (const action of ACTIONS) expect(conceptsIn(action), action).toEqual(["small-talk"]);
  });

  it("consist of tokens that the pocket model was pretrained on", async () => {
    const tokenizer = await loadTokenizer(await openFolder(new URL("../../../pocket/model", import.meta.url).pathname));
    const seen = new Set<number>();
    for (const text of pretrainingTexts(1, 6000, 0)) for (const id of tokenizer.encode(text)) seen.add(id);
    for (const action of ACTIONS) {
      const unseen = [...tokenizer.encode(action)].filter((id) => !seen.has(id));
      expect(
        unseen.map((id) => tokenizer.tokenText(id)),
        action,
      ).toEqual([]);
    }
  });
});
