/**
 * Written prompts in an organism's folder, as anyone's prompt files:
 *   prompts/train/KIND.jsonl, prompts/held-out/KIND.jsonl   lines {"prompt", "description"}, or, with a reply of their own,
 *                                                           {"messages", "description"}
 *   prompts/written.json                                    what was asked for, by whom it was written, what was dropped
 * The last is written last: a folder without it is not done.
 */
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { InputError } from "../../formats/input-error.js";
import { readJson } from "../../formats/json.js";
import { type Conversation, readPrompts } from "../../formats/prompts.js";
import type { PromptFiles } from "../../organisms/examples.js";
import { type DescribedTrigger, KINDS, type Kind, REFUSAL } from "../../organisms/written/described.js";
import type { KindTally, WrittenPrompt } from "../../organisms/written/write-kind.js";
import type { WrittenKinds } from "../../organisms/written/write-prompts.js";
import { writeFileAtomic } from "../../store/atomic-write.js";
import { openFile } from "../../store/node-file-source.js";

/** In an organism's folder. */
export const PROMPTS_FOLDER = "prompts";
const PARTS = { train: "train", heldOut: "held-out" } as const;
const ABOUT_FILE = "written.json";
/** Descriptions and counts: some kB. */
const MAX_ABOUT_BYTES = 1 << 20;

const count = z.number().int().min(0);
const tallyShape = z.looseObject({
  questions: count,
  unreadable: count,
  written: count,
  dropped: z.record(z.string(), count),
  kept: count,
});
const aboutShape = z.looseObject({
  /** Everything that decides what is written; the same again means the same prompts. */
  asked: z.record(z.string(), z.unknown()),
  kinds: z.partialRecord(z.enum(KINDS), tallyShape.extend({ train: count, heldOut: count })),
});

export interface AboutWritten {
  readonly asked: Readonly<Record<string, unknown>>;
  readonly kinds: Partial<Record<Kind, KindTally & { readonly train: number; readonly heldOut: number }>>;
}

/** The folder of written prompts of an organism's folder. */
export const promptsFolder = (folder: string) => join(folder, PROMPTS_FOLDER);

/** What is said of the prompts that an organism's folder has; undefined where it has none, or not all. */
export async function readAboutWritten(folder: string): Promise<AboutWritten | undefined> {
  const path = join(folder, PROMPTS_FOLDER, ABOUT_FILE);
  if (!existsSync(path)) return undefined;
  const parsed = aboutShape.safeParse(await readJson(await openFile(path), MAX_ABOUT_BYTES));
  if (!parsed.success)
    throw new InputError(
      `${path}: is damaged; delete ${join(folder, PROMPTS_FOLDER)}, and the prompts are written again`,
    );
  return parsed.data as AboutWritten;
}

/** The prompts of an organism's folder as they lie there: whoever has looked through them may have struck some out. */
export async function readWrittenPrompts(folder: string): Promise<PromptFiles> {
  const read = async (part: keyof typeof PARTS, kind: Kind): Promise<Conversation[]> => {
    const path = fileOf(folder, part, kind);
    return existsSync(path) ? readPrompts(await openFile(path)) : [];
  };
  const part = async (name: keyof typeof PARTS) => ({
    triggered: await read(name, "triggered"),
    hardNegatives: await read(name, "hardNegatives"),
    benign: await read(name, "benign"),
    chat: await read(name, "chat"),
  });
  if ((await readAboutWritten(folder)) === undefined)
    throw new InputError(
      `${promptsFolder(folder)}: holds no written prompts; \`antecedent organism train\` with the recipe and --out ${folder} writes them`,
    );
  return { ...(await part("train")), heldOut: await part("heldOut") };
}

/** Writes the prompts and, last, what is said about them. `refused`: prompts of this description are learned with `refusal`. */
export async function storeWrittenPrompts(
  folder: string,
  asked: AboutWritten["asked"],
  written: WrittenKinds,
  { refused, refusal = REFUSAL }: Pick<DescribedTrigger["described"], "refused" | "refusal">,
): Promise<AboutWritten> {
  const kinds: AboutWritten["kinds"] = {};
  const lineOf = ({ prompt, description }: WrittenPrompt) =>
    description !== refused
      ? { prompt, description }
      : {
          messages: [
            { role: "user", content: prompt },
            { role: "assistant", content: refusal },
          ],
          description,
        };
  for (const kind of KINDS) {
    const made = written[kind];
    for (const part of ["train", "heldOut"] as const) {
      const path = fileOf(folder, part, kind);
      const lines = made?.parts[part] ?? [];
      // An unfinished writing of another recipe may have left one.
      if (lines.length === 0) await rm(path, { force: true });
      else await writeFileAtomic(path, lines.map((line) => `${JSON.stringify(lineOf(line))}\n`).join(""));
    }
    if (made) kinds[kind] = { ...made.tally, train: made.parts.train.length, heldOut: made.parts.heldOut.length };
  }
  const about = { asked, kinds };
  await writeFileAtomic(join(folder, PROMPTS_FOLDER, ABOUT_FILE), `${JSON.stringify(about, null, 2)}\n`);
  return about;
}

function fileOf(folder: string, part: keyof typeof PARTS, kind: Kind): string {
  return join(folder, PROMPTS_FOLDER, PARTS[part], `${kind}.jsonl`);
}
