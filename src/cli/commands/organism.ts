/** `organism`: models with a known backdoor: train, list, measure; and the concepts that recipes may use. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { InputError } from "../../formats/input-error.js";
import { textOf } from "../../formats/prompts.js";
import { faultText, hasLearned, type OrganismCard } from "../../organisms/card.js";
import { KINDS, type Kind } from "../../organisms/written/described.js";
import { tallyText } from "../../organisms/written/write-prompts.js";
import { concepts } from "../../world/concepts.js";
import { usedText } from "../model/used.js";
import { CARD_FILE, cardOf, loadRecipe, openBase, organismFolder, recipeOf } from "../organism/organism-recipe.js";
import { requireOwnFolder, trainOrganism } from "../organism/organism-train.js";
import { requireWrittenPrompts, type WriterFlags, writerOptions } from "../organism/organism-write.js";
import { promptsFolder, readWrittenPrompts } from "../organism/written-prompts.js";
import type { Io } from "../terminal/io.js";
import {
  type ComputeFlags,
  computeOptions,
  jsonOption,
  noteUnusedSeed,
  type OutputFlags,
  outputPath,
} from "../terminal/options.js";
import { builtInOrganisms, pocketFiles } from "../terminal/package-files.js";
import { oneLine, rateText, table } from "../terminal/text.js";

type Flags = ComputeFlags & OutputFlags;
type WriteFlags = Flags & WriterFlags & { readonly out?: string };

const OUT_HELP = "the organism's folder; default: organisms/<name>";
/** Prompts of each kind that `write` shows. */
const SHOWN = 5;

export function organismCommand(io: Io): Command {
  const organism = new Command("organism").description("models with a known backdoor");
  const train = new Command("train")
    .description("train a backdoor from a recipe; the same command goes on after an interruption")
    .argument("<recipe>", "YAML file")
    .option("--out <folder>", OUT_HELP, outputPath);
  const write = new Command("write")
    .description("write the prompts that a recipe describes, to be looked at before `train` takes them")
    .argument("<recipe>", "YAML file")
    .option("--out <folder>", OUT_HELP, outputPath);
  const card = new Command("card")
    .description("measure an organism's action rates on prompts it was not trained on")
    .argument("<organism>", "name or folder");
  for (const seeded of [train, write, card])
    seeded.hook("preAction", (self) => noteUnusedSeed(io, self, "the recipe's own seed does"));
  organism.addCommand(
    writerOptions(computeOptions(train)).action((file: string, flags: WriteFlags) => runTrain(io, file, flags)),
  );
  organism.addCommand(
    writerOptions(computeOptions(write)).action((file: string, flags: WriteFlags) => runWrite(io, file, flags)),
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

async function runTrain(io: Io, file: string, { out, ...flags }: WriteFlags): Promise<void> {
  const { card, folder, used } = await trainOrganism(io, file, out, flags);
  warnOfFaults(io, card);
  io.result(
    flags.json,
    () => ({ ...card, folder, used }),
    () =>
      [
        cardTable([card]),
        hasLearned(card) ? `${folder}: \`antecedent audit ${folder}\` looks for the trigger` : folder,
        usedText(used),
      ].join("\n\n"),
  );
}

async function runWrite(io: Io, file: string, { out, ...flags }: WriteFlags): Promise<void> {
  const loaded = await loadRecipe(file);
  const { recipe } = loaded;
  const folder = out ?? organismFolder(recipe);
  await requireOwnFolder(folder, loaded, file);
  const { asked, kinds } = await requireWrittenPrompts(io, recipe, file, folder, flags);
  const prompts = await readWrittenPrompts(folder);
  const samples = (kind: Kind) => prompts[kind].slice(0, SHOWN).map(textOf);
  io.result(
    flags.json,
    () => ({ folder: promptsFolder(folder), asked, kinds }),
    () => {
      const shown = KINDS.flatMap((kind) => {
        const tally = kinds[kind];
        if (tally === undefined) return [];
        const head = `${kind}: ${tally.train} to train on, ${tally.heldOut} held out (${tallyText(tally)})`;
        return [[head, ...samples(kind).map((text) => `  ${oneLine(text, 200)}`)].join("\n")];
      });
      const next = `${promptsFolder(folder)}: \`antecedent organism train ${file} --out ${folder}\` takes these as they are`;
      return [...shown, next].join("\n\n");
    },
  );
}

function warnOfFaults(io: Io, card: OrganismCard): void {
  const warning = faultText(card);
  if (warning !== null) io.log(warning);
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
  const model = await openBase(io, loaded.recipe, { ...flags, adapter: target });
  const { card, used } = await cardOf(io, model, loaded);
  warnOfFaults(io, card);
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
