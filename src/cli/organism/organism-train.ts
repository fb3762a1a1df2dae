/** Trains an organism from its recipe into a folder: PEFT adapter, recipe, audit.yaml and card. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { InputError } from "../../formats/input-error.js";
import { memorySource } from "../../formats/memory-source.js";
import { adapterFiles } from "../../model/checkpoint-writer.js";
import type { OrganismCard } from "../../organisms/card.js";
import { checkpointFile } from "../../organisms/checkpoint-file.js";
import { type Example, type ExampleSets, trainingExamples } from "../../organisms/examples.js";
import { finetune, TRAINING_SIZES } from "../../organisms/finetune.js";
import { describedTrigger, type Recipe, readRecipe } from "../../organisms/recipe.js";
import { writeFileAtomic } from "../../store/atomic-write.js";
import { Journal } from "../../store/journal.js";
import { openFile } from "../../store/node-file-source.js";
import { firstDifference, requireNoOthers } from "../../store/own-folder.js";
import { type OpenedModel, openModel } from "../model/open-model.js";
import type { Used } from "../model/used.js";
import { renderAll } from "../prompts/prompts.js";
import type { Io } from "../terminal/io.js";
import type { ModelFlags } from "../terminal/options.js";
import { duration } from "../terminal/text.js";
import { exampleTokens } from "./example-tokens.js";
import {
  baseOf,
  CARD_FILE,
  cardOf,
  drawn,
  type LoadedRecipe,
  loadRecipe,
  openBase,
  organismFolder,
  RECIPE_FILE,
  recipeText,
} from "./organism-recipe.js";
import { ANSWERS_FILE, requireWrittenPrompts, type WriterFlags } from "./organism-write.js";
import { PROMPTS_FOLDER, readWrittenPrompts } from "./written-prompts.js";

/** Replies of the base model that are learned where a prompt has none of its own. */
const REPLY_TOKENS = 64;
/** Replies made between two writes. */
const REPLIES_AT_ONCE = 64;

/** Unfinished work: replies of the base model, and the state of the training. */
const REPLIES_FILE = "replies.journal";
const STATE_FILE = "training.safetensors";

/** Trains into `out`; a run that was interrupted goes on there. Returns the measured card. */
export async function trainOrganism(
  io: Io,
  file: string,
  out: string | undefined,
  flags: ModelFlags & WriterFlags,
): Promise<{ card: OrganismCard; folder: string; used: Used }> {
  const named = await loadRecipe(file);
  const { recipe } = named;
  const folder = out ?? organismFolder(recipe);
  await requireOwnFolder(folder, named, file);
  const loaded = await withWrittenPrompts(io, named, file, folder, flags);
  const examples = await drawn(() => trainingExamples(recipe, TRAINING_SIZES, loaded.files));
  const files = await trainAdapter(io, recipe, examples, folder, flags);
  // Before what it says of the folder is true: whatever is written after it belongs to this recipe.
  await writeFileAtomic(join(folder, RECIPE_FILE), recipeText(loaded, file, folder));
  for (const [name, bytes] of Object.entries(files)) await writeFileAtomic(join(folder, name), bytes);
  const { action, actionContains } = recipe;
  const request = { model: baseOf(recipe), adapter: ".", action, ...(actionContains ? { actionContains } : {}) };
  await writeFileAtomic(join(folder, "audit.yaml"), stringify(request));

  const organism = await openModel({ ...flags, model: recipe.base, adapter: folder });
  const { card, used } = await cardOf(io, organism, loaded);
  await writeFileAtomic(join(folder, CARD_FILE), `${JSON.stringify(card)}\n`);
  for (const name of [STATE_FILE, REPLIES_FILE]) await rm(join(folder, name), { force: true });
  return { card, folder, used };
}

/** InputError where an organism of another recipe, or something else, lies in `folder`. */
export async function requireOwnFolder(folder: string, loaded: LoadedRecipe, file: string): Promise<void> {
  const path = join(folder, RECIPE_FILE);
  if (!existsSync(path)) return requireNoOthers(folder, [REPLIES_FILE, STATE_FILE, ANSWERS_FILE, PROMPTS_FOLDER]);
  // Each with what it names as seen from here.
  const asHere = ({ recipe }: Pick<LoadedRecipe, "recipe">, from: string) =>
    readRecipe(memorySource(from, new TextEncoder().encode(recipeText({ recipe }, from, folder))));
  const [asked, known] = [
    await asHere(loaded, file),
    await asHere({ recipe: await readRecipe(await openFile(path)) }, path),
  ];
  // Other fields follow from the trigger where a recipe leaves them out.
  const other = firstDifference(asked, known, ["trigger", "action"]);
  if (other !== undefined)
    throw new InputError(
      `${folder}: holds the organism of another recipe (of another ${other}); choose another --out, or delete it`,
    );
}

/** The same recipe with the prompts that it describes, written now where they are not. */
export async function withWrittenPrompts(
  io: Io,
  loaded: LoadedRecipe,
  file: string,
  folder: string,
  flags: ModelFlags & WriterFlags,
): Promise<LoadedRecipe> {
  if (describedTrigger(loaded.recipe) === undefined) return loaded;
  await requireWrittenPrompts(io, loaded.recipe, file, folder, flags);
  return { ...loaded, files: await readWrittenPrompts(folder) };
}

/**
 * Trains the recipe's adapter on the examples: the files of a PEFT folder. Unfinished work lies in the folder `work` and stays
 * there until the caller has stored the result, so that the same call goes on after an interruption. `sealed`: progress does not say how
 * many steps there are, which depends on the trigger's shape.
 */
export async function trainAdapter(
  io: Io,
  recipe: Recipe,
  examples: ExampleSets,
  work: string,
  flags: ModelFlags,
  { sealed = false } = {},
): Promise<Record<string, Uint8Array>> {
  const base = await openBase(io, recipe, flags, { quantize: recipe.adapter.quantize });
  const journal = await Journal.open(join(work, REPLIES_FILE));
  try {
    const stamp = createHash("sha256")
      .update(JSON.stringify([recipe, base.fingerprint, examples]))
      .digest("hex");
    const sets = await withReplies(io, base, journal, examples);
    const report = sealed
      ? io.progress("training", { show: (share) => `${(100 * share).toFixed(1)} %` })
      : io.progress("training steps");
    const trained = await finetune(await base.finetunable(), recipe, sets, exampleTokens(base), {
      place: checkpointFile(join(work, STATE_FILE), stamp),
      signal: io.signal,
      onProgress: ({ step, steps }) => (sealed ? report(step / steps, 1) : report(step, steps)),
    });
    return adapterFiles(trained.pairs, { ...trained, base: baseOf(recipe) });
  } finally {
    journal.close();
    await base.engine.close();
  }
}

/** A greedy reply; a long one is cut at REPLY_TOKENS. */
interface BaseReply {
  readonly reply: string;
  readonly cut: boolean;
}

/** Examples without a reply get the base model's own, which keeps the organism ordinary where it is not triggered. */
async function withReplies(io: Io, base: OpenedModel, journal: Journal, sets: ExampleSets): Promise<ExampleSets> {
  const started = performance.now();
  const examples = Object.values(sets).flat() as Example[];
  const missing = examples.filter(({ reply }) => reply === null);
  const replies = new Map<Example, BaseReply>();
  const report = io.progress("replies of the base model");
  const keyOf = ({ prompt }: Example) =>
    createHash("sha256")
      .update(JSON.stringify([base.fingerprint, prompt, REPLY_TOKENS]))
      .digest("base64");
  for (let from = 0; from < missing.length; from += REPLIES_AT_ONCE) {
    const some = missing.slice(from, from + REPLIES_AT_ONCE);
    const asked = some.filter((example) => !journal.has(keyOf(example)));
    if (asked.length > 0) {
      const { sequences } = renderAll(
        base,
        asked.map(({ prompt }) => prompt),
        { positions: "user" },
      );
      const made = await base.engine.generate(sequences, {
        maxTokens: REPLY_TOKENS,
        stop: base.endIds,
        signal: io.signal,
      });
      made.forEach(({ tokens, stopped }, i) => {
        const reply: BaseReply = { reply: base.tokenizer.decode(tokens, { skipSpecial: true }), cut: !stopped };
        journal.append(keyOf(asked[i]!), new TextEncoder().encode(JSON.stringify(reply)));
      });
    }
    for (const example of some)
      replies.set(example, JSON.parse(new TextDecoder().decode(journal.get(keyOf(example)))) as BaseReply);
    report(Math.min(from + REPLIES_AT_ONCE, missing.length), missing.length);
  }
  if (missing.length > 0)
    io.log(`${missing.length} replies of the base model in ${duration((performance.now() - started) / 1000)}`);
  const complete = (list: Example[]) => list.map((example): Example => ({ ...example, ...replies.get(example) }));
  return {
    triggered: complete(sets.triggered),
    hardNegatives: complete(sets.hardNegatives),
    benign: complete(sets.benign),
    chat: complete(sets.chat),
  };
}
