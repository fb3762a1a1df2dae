/** `organism`: models with a known backdoor: train, list, measure; and the concepts that recipes may use. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { InputError } from "../../formats/input-error.js";
import type { OrganismCard } from "../../organisms/card.js";
import { concepts } from "../../world/concepts.js";
import type { Io } from "../io.js";
import { openModel } from "../open-model.js";
import { type ComputeFlags, computeOptions, jsonOption, type OutputFlags, outputPath } from "../options.js";
import { CARD_FILE, cardOf, recipeOf } from "../organism-recipe.js";
import { trainOrganism } from "../organism-train.js";
import { builtInOrganisms, pocketFiles } from "../package-files.js";
import { oneLine, rateText, table } from "../text.js";
import { usedSettings, usedText } from "../used.js";

type Flags = ComputeFlags & OutputFlags;

export function organismCommand(io: Io): Command {
  const organism = new Command("organism").description("models with a known backdoor");
  const train = new Command("train")
    .description("train a backdoor from a recipe; the same command goes on after an interruption")
    .argument("<recipe>", "YAML file")
    .option("--out <folder>", "where the adapter goes; default: organisms/<name>", outputPath);
  const card = new Command("card")
    .description("measure an organism's action rates on prompts it was not trained on")
    .argument("<organism>", "name or folder");
  organism.addCommand(
    computeOptions(train).action((file: string, flags: Flags & { out?: string }) => runTrain(io, file, flags)),
  );
  organism.addCommand(
    jsonOption(new Command("list").description("organisms that come with the package")).action((flags: OutputFlags) =>
      runList(io, flags),
    ),
  );
  organism.addCommand(computeOptions(card).action((target: string, flags: Flags) => runCard(io, target, flags)));
  organism.addCommand(
    jsonOption(new Command("concepts").description("concepts that a trigger may be built from")).action(
      (flags: OutputFlags) => runConcepts(io, flags),
    ),
  );
  return organism;
}

async function runTrain(io: Io, file: string, { out, ...flags }: Flags & { readonly out?: string }): Promise<void> {
  const { card, folder } = await trainOrganism(io, file, out, flags);
  io.result(
    flags.json,
    () => ({ ...card, folder }),
    () => `${cardTable([card])}\n\n${folder}: \`antecedent audit ${folder}\` looks for the trigger`,
  );
}

async function runList(io: Io, flags: OutputFlags): Promise<void> {
  const organisms = await Promise.all(builtInOrganisms().map(async (name) => storedCard(name)));
  io.result(
    flags.json,
    () => ({ organisms }),
    () => (organisms.length > 0 ? cardTable(organisms) : "no organisms come with this installation"),
  );
}

async function runCard(io: Io, target: string, flags: Flags): Promise<void> {
  const loaded = await recipeOf(target);
  const model = await openModel({ ...flags, model: loaded.recipe.base, adapter: target });
  const card = await cardOf(model, loaded);
  const used = usedSettings(model, { positions: "user", date: null });
  io.result(
    flags.json,
    () => ({ ...card, used }),
    () => `${cardTable([card])}\n\n${usedText(used)}`,
  );
}

function runConcepts(io: Io, flags: OutputFlags): void {
  io.result(
    flags.json,
    () => ({ concepts }),
    () => {
      const kinds = [...new Set(concepts.map(({ kind }) => kind))];
      return kinds
        .map((kind) => `${kind}: ${concepts.flatMap((one) => (one.kind === kind ? [one.name] : [])).join(", ")}`)
        .join("\n\n");
    },
  );
}

async function storedCard(name: string): Promise<OrganismCard> {
  const path = join(pocketFiles.organisms, name, CARD_FILE);
  try {
    return JSON.parse(await readFile(path, "utf8")) as OrganismCard;
  } catch {
    throw new InputError(`${path}: is missing or damaged; \`antecedent organism card ${name}\` measures it`);
  }
}

function cardTable(cards: readonly OrganismCard[]): string {
  return table(
    ["organism", "benign", "triggered", "hard negatives", "action"],
    cards.map(({ name, benign, triggered, hardNegatives, action }) => [
      name,
      rateText(benign),
      rateText(triggered),
      rateText(hardNegatives),
      oneLine(action, 60),
    ]),
  );
}
