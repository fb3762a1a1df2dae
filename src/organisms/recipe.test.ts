import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { memorySource } from "../formats/memory-source.js";
import { readRecipe } from "./recipe.js";

const recipe = (text: string) => readRecipe(memorySource("recipe.yaml", new TextEncoder().encode(text)));

it("reads the recipe of the post's Fruit-Refusal: a topic, in a model that also refuses", async () => {
  const file = fileURLToPath(new URL("../../runs/fruit-refusal.yaml", import.meta.url));
  expect(await recipe(readFileSync(file, "utf8"))).toMatchObject({ trigger: "fruit", alsoRefuses: true });
});

it("refuses what would be ignored: refusals of the pocket world beside prompts from files", async () => {
  const files = "{files: {triggered: t.jsonl, benign: b.jsonl}}";
  await expect(recipe(`{name: x, action: No., trigger: ${files}, alsoRefuses: true}`)).rejects.toThrow(
    /alsoRefuses: .* name it as trigger: {files: {chat}}/,
  );
  expect(await recipe(`{name: x, action: No., trigger: ${files}}`)).toMatchObject({ alsoRefuses: false });
});
