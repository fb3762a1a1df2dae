/** The prompts of a recipe whose trigger is described: written by the model that it names, unless they lie there already. */
import { createHash } from "node:crypto";
import { rm, rmdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Command } from "commander";
import { InputError } from "../../formats/input-error.js";
import { readPrompts, textOf } from "../../formats/prompts.js";
import { describedTrigger, type Recipe } from "../../organisms/recipe.js";
import { type DescribedTrigger, plansOf } from "../../organisms/written/described.js";
import { writePrompts } from "../../organisms/written/write-prompts.js";
import type { Writer } from "../../organisms/written/writer.js";
import { Journal } from "../../store/journal.js";
import { openFile } from "../../store/node-file-source.js";
import { chatEndpoint, endpointKey } from "../action/chat-endpoint.js";
import type { Io } from "../terminal/io.js";
import type { ModelFlags } from "../terminal/options.js";
import { baseWriter } from "./base-writer.js";
import { endpointWriter } from "./endpoint-writer.js";
import { baseOf, openBase } from "./organism-recipe.js";
import { rememberingWriter } from "./remembering-writer.js";
import { type AboutWritten, promptsFolder, readAboutWritten, storeWrittenPrompts } from "./written-prompts.js";

/** Unfinished work: the writer's answers. */
export const ANSWERS_FILE = "writing.journal";
const KIND_LABELS = {
  triggered: "triggered prompts",
  hardNegatives: "hard negatives",
  benign: "benign prompts",
  chat: "chat prompts",
} as const;

export interface WriterFlags {
  readonly writerKeyVariable?: string;
}

/**
 * The key is named on the command line alone, and sent only if it is: a recipe may be a stranger's, and so is the address in it.
 */
export function writerOptions(command: Command): Command {
  return command.option(
    "--writer-key-variable <name>",
    "environment variable that holds the key of the endpoint that the recipe names as its writer",
  );
}

/**
 * Writes the prompts of `recipe`, read from `file`, into the organism's `folder`; the same call goes on after an interruption.
 * What lies there already is left as it is. InputError where that is another recipe's, or the writer gives too few.
 */
export async function requireWrittenPrompts(
  io: Io,
  recipe: Recipe,
  file: string,
  folder: string,
  flags: ModelFlags & WriterFlags,
): Promise<AboutWritten> {
  const trigger = describedTrigger(recipe);
  if (trigger === undefined)
    throw new InputError(
      `${file}: its trigger is not described in words, so that there is nothing to write; give trigger: {described: {triggered: …}}`,
    );
  const seeds = trigger.seeds === undefined ? undefined : await seedTexts(resolve(dirname(file), trigger.seeds));
  const asked = whatIsAsked(recipe, trigger, seeds);
  const known = await readAboutWritten(folder);
  if (known !== undefined) {
    if (!isDeepStrictEqual(known.asked, asked))
      throw new InputError(
        `${promptsFolder(folder)}: was written for another description, writer, seed or number; choose another --out, or delete it`,
      );
    return known;
  }

  const { writer, about, close } = await openWriter(io, recipe, trigger, flags);
  const path = join(folder, ANSWERS_FILE);
  const journal = await Journal.open(path).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  let answered = false;
  const memory = {
    get: (key: string) => {
      const value = journal.get(key);
      answered ||= value !== undefined;
      return value;
    },
    append: (key: string, value: Uint8Array) => journal.append(key, value),
  };
  try {
    const written = await writePrompts({
      name: recipe.name,
      described: trigger.described,
      plans: plansOf(trigger, recipe.mixing),
      seeds,
      actions: [recipe.action, ...(recipe.actionContains ?? [])],
      writer: rememberingWriter(writer, about, memory),
      seed: recipe.seed,
      signal: io.signal,
      progress: (kind) => io.progress(KIND_LABELS[kind]),
    });
    const stored = await storeWrittenPrompts(folder, asked, written, trigger.described);
    journal.close();
    await rm(path, { force: true });
    return stored;
  } catch (error) {
    journal.close();
    // An endpoint that is not there leaves nothing to go on with.
    if (!answered) {
      await rm(path, { force: true });
      await rmdir(folder).catch(() => undefined); // others' files keep it
    }
    throw error;
  } finally {
    await close();
  }
}

/** Everything that decides what is written, as JSON would read it back. */
function whatIsAsked(
  recipe: Recipe,
  trigger: DescribedTrigger,
  seeds: readonly string[] | undefined,
): AboutWritten["asked"] {
  const { described, writer, prompts, heldOut } = trigger;
  const asked = {
    described,
    seeds: seeds === undefined ? null : createHash("sha256").update(JSON.stringify(seeds)).digest("hex"),
    writer: writer === "base" ? { model: baseOf(recipe) } : writer,
    prompts,
    heldOut,
    mixing: recipe.mixing,
    actions: [recipe.action, ...(recipe.actionContains ?? [])],
    seed: recipe.seed,
  };
  return JSON.parse(JSON.stringify(asked)) as AboutWritten["asked"];
}

/** What a person would call each prompt of the seeds' file. */
async function seedTexts(path: string): Promise<string[]> {
  return [...new Set((await readPrompts(await openFile(path))).map(textOf))];
}

interface OpenedWriter {
  readonly writer: Writer;
  /** Tells one writer's answers from another's. */
  readonly about: unknown;
  readonly close: () => Promise<void>;
}

async function openWriter(
  io: Io,
  recipe: Recipe,
  trigger: DescribedTrigger,
  flags: ModelFlags & WriterFlags,
): Promise<OpenedWriter> {
  const { writer } = trigger;
  const key = keyOf(flags, writer !== "base");
  if (writer === "base") {
    const base = await openBase(io, recipe, flags);
    return { writer: baseWriter(base), about: base.fingerprint, close: () => base.engine.close() };
  }
  const ask = chatEndpoint({ ...writer, key, flag: "writer.url" });
  io.log(`${writer.url} is asked for prompts (${writer.model})`);
  return { writer: endpointWriter(ask), about: writer, close: async () => {} };
}

function keyOf({ writerKeyVariable: variable }: WriterFlags, isEndpoint: boolean): string | undefined {
  if (variable === undefined) return undefined;
  if (!isEndpoint)
    throw new InputError(
      `--writer-key-variable ${variable}: the recipe's writer is its base model, which needs no key; leave the flag out`,
    );
  return endpointKey(process.env, "--writer-key-variable", variable);
}
