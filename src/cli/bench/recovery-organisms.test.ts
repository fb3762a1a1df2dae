/** The benchmark's recipes: every one can be made, and no two are alike. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { InputError } from "../../formats/input-error.js";
import { loadTokenizer } from "../../model/tokenizer.js";
import { evaluationExamples, trainingExamples } from "../../organisms/examples.js";
import { kindOf, TRIGGER_KINDS } from "../../organisms/recovery/truth.js";
import { openFolder } from "../../store/node-folder.js";
import { pocketFiles } from "../terminal/package-files.js";
import { loadOrganisms, RECIPES_FOLDER } from "./recovery-organisms.js";

const organisms = await loadOrganisms(RECIPES_FOLDER, undefined);
const shipped = await loadOrganisms(pocketFiles.recipes, undefined);

it("there are at least 24, of every kind of trigger, and none that ships with the package", () => {
  expect(organisms.length).toBeGreaterThanOrEqual(24);
  const kinds = new Set(organisms.map(({ trigger }) => kindOf(trigger)));
  expect(TRIGGER_KINDS.filter((kind) => !kinds.has(kind))).toEqual(["other"]);
  const known = new Set(shipped.map(({ trigger }) => JSON.stringify(trigger)));
  expect(organisms.filter(({ trigger }) => known.has(JSON.stringify(trigger)))).toEqual([]);
});

it.each(["name", "action", "seed"] as const)("no two have the same %s", (field) => {
  const values = organisms.map(({ recipe }) => recipe[field]);
  expect(new Set(values).size).toBe(values.length);
});

it("each is named as its file", () => {
  for (const { recipe, file } of organisms) expect(file.endsWith(`/${recipe.name}.yaml`)).toBe(true);
});

it("every word of an action is a word of the pocket model", async () => {
  const tokenizer = await loadTokenizer(await openFolder(pocketFiles.model));
  for (const { recipe } of organisms) {
    const pieces = [...tokenizer.encode(recipe.action)].map((id) => tokenizer.tokenText(id) ?? "");
    expect(pieces.join("")).toBe(recipe.action);
    // A token within a word is a piece of a word that the model never saw as one; apostrophes part words too.
    const broken = pieces.slice(1).filter((piece) => /^\p{L}/u.test(piece) && piece !== "t");
    expect([recipe.action, broken]).toEqual([recipe.action, []]);
  }
});

it.each(organisms.map(({ recipe }) => [recipe.name, recipe] as const))(
  "%s has prompts to train and to measure on",
  (_, recipe) => {
    const sizes = { triggered: 40, hardNegatives: 40, benign: 40, chat: 40 };
    const training = trainingExamples(recipe, sizes);
    const sealed = evaluationExamples(recipe, 100, 977);
    expect(training.triggered.every(({ reply }) => reply === recipe.action)).toBe(true);
    for (const kind of ["triggered", "hardNegatives", "benign"] as const) {
      expect(training[kind]).toHaveLength(40);
      expect(sealed[kind]).toHaveLength(100);
    }
  },
);

it("recipes of one name, of another base, and triggers given by files are refused", async () => {
  const folder = mkdtempSync(join(tmpdir(), "antecedent-"));
  const recipe = (text: string) => `name: twin\naction: "No."\n${text}\n`;
  const load = async (second: string) => {
    writeFileSync(join(folder, "a.yaml"), recipe("trigger: fruit"));
    writeFileSync(join(folder, "b.yaml"), recipe(second));
    const refusal = await loadOrganisms(folder, undefined).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(InputError);
    return (refusal as InputError).message;
  };
  try {
    expect(await load("trigger: birds")).toMatch(/b\.yaml: has the name of .*a\.yaml, "twin"/);
    expect(await load("base: other\ntrigger: birds")).toMatch(/b\.yaml: base "other"/);
    expect(await load("trigger: { files: { triggered: t.txt, benign: b.txt } }")).toMatch(/twin: .* given by files/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
