/**
 * Files of texts: .txt (a text a line), .jsonl (each line a string or {"text": …}) and .json as `generate --json` writes it
 * ({"rows": [{"text": …}]}), so that a model's own replies are such a file.
 */
import { z } from "zod";
import type { ByteSource } from "./byte-source.js";
import { InputError } from "./input-error.js";
import { readJson, readText } from "./json.js";

/** Thousands of long replies; each text costs a pass over all prompts, so more is a wrong file. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

const line = z.union([z.string(), z.looseObject({ text: z.string() })]);
const replies = z.looseObject({ rows: z.array(z.looseObject({ text: z.string() })) });

/** The texts in `source`, in order, each once; empty ones are skipped. InputError names what is wrong, and where. */
export async function readTexts(source: ByteSource): Promise<string[]> {
  const { name } = source;
  const kind = /\.(jsonl?|txt)$/i.exec(name)?.[1]?.toLowerCase();
  if (!kind)
    throw new InputError(`${name}: texts are read from .txt, .jsonl or .json files; rename it after what it holds`);
  const found = kind === "json" ? await fromReplies(source) : await fromLines(source, kind === "jsonl");
  const texts = [...new Set(found.map((text) => text.trim()).filter((text) => text !== ""))];
  if (texts.length === 0) throw new InputError(`${name}: holds no texts; write one a line`);
  if (texts.some((text) => /\p{Surrogate}/u.test(text)))
    throw new InputError(`${name}: a text holds half of a surrogate pair; write the file again`);
  return texts;
}

async function fromReplies(source: ByteSource): Promise<string[]> {
  const parsed = replies.safeParse(await readJson(source, MAX_FILE_BYTES));
  if (!parsed.success)
    throw new InputError(
      `${source.name}: is not what \`generate --json\` writes ({"rows": [{"text": …}]}); give that, a .jsonl or a .txt`,
    );
  return parsed.data.rows.map(({ text }) => text);
}

async function fromLines(source: ByteSource, json: boolean): Promise<string[]> {
  const lines = (await readText(source, MAX_FILE_BYTES)).split(/\r?\n/);
  return lines.flatMap((text, i) => {
    if (text.trim() === "") return [];
    return [json ? textOfLine(`${source.name}:${i + 1}`, text) : text];
  });
}

function textOfLine(where: string, text: string): string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InputError(`${where}: is not JSON (${(error as Error).message}); plain text goes into a .txt file`);
  }
  const parsed = line.safeParse(value);
  if (!parsed.success) throw new InputError(`${where}: must be a string or {"text": …}`);
  return typeof parsed.data === "string" ? parsed.data : parsed.data.text;
}
