/**
 * Prompt files: .jsonl (each line a string, {"prompt": …} or {"messages": [{role, content}]}) and .txt (a prompt a line).
 */
import { z } from "zod";
import type { ByteSource } from "./byte-source.js";
import { InputError, quoteAll } from "./input-error.js";
import { readText } from "./json.js";
import { firstWrong } from "./shape.js";

/** A corpus of a hundred thousand long prompts; more belongs in several runs, and must fit one JavaScript string. */
const MAX_FILE_BYTES = 256 * 1024 * 1024;
/** One prompt: some 250,000 tokens, beyond the context of the models used here. */
const MAX_LINE_CHARACTERS = 1024 * 1024;
/** More than any run can score; a guard against a wrong file. */
const MAX_PROMPTS = 1_000_000;
/** Turns of one conversation. */
const MAX_MESSAGES = 1024;

/** A conversation, with at least one user message. */
export type Conversation = readonly { readonly role: string; readonly content: string }[];

/** What a person would call the prompt: its last user message. */
export function textOf(messages: Conversation): string {
  return messages.findLast(({ role }) => role === "user")?.content ?? "";
}

const text = z.string().refine((value) => !/\p{Surrogate}/u.test(value), "holds half of a surrogate pair");
const message = z.object({ role: z.string().min(1), content: text });
const withPrompt = z.object({ prompt: text });
const withMessages = z.object({ messages: z.array(message).min(1).max(MAX_MESSAGES) });

/**
 * The conversations in `source`, in order; blank lines are skipped, other keys ignored. InputError naming file and line
 * for a line that is none of the forms, a conversation without user message, an over-long line, an empty file or another
 * kind of file.
 */
export async function readPrompts(source: ByteSource): Promise<Conversation[]> {
  const { name } = source;
  const kind = /\.(jsonl|txt)$/i.exec(name)?.[1]?.toLowerCase();
  if (!kind) throw new InputError(`${name}: prompts are read from .jsonl or .txt files; rename it after what it holds`);
  const conversations: Conversation[] = [];
  let number = 0;
  for (const line of (await readText(source, MAX_FILE_BYTES)).split(/\r?\n/)) {
    number++;
    if (line.trim() === "") continue;
    const where = `${name}:${number}`;
    if (line.length > MAX_LINE_CHARACTERS)
      throw new InputError(`${where}: ${line.length} characters; a prompt may have ${MAX_LINE_CHARACTERS}`);
    if (conversations.length === MAX_PROMPTS)
      throw new InputError(`${where}: more than ${MAX_PROMPTS} prompts; split the file`);
    conversations.push(kind === "txt" ? [{ role: "user", content: line }] : parseLine(where, line));
  }
  if (conversations.length === 0)
    throw new InputError(
      `${name}: holds no prompts; ${kind === "txt" ? "write one a line" : 'write one JSON value a line, for example "Hello"'}`,
    );
  return conversations;
}

function parseLine(where: string, line: string): Conversation {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new InputError(
      `${where}: is not JSON (${(error as Error).message}); each line must be a JSON value, plain text goes into a .txt file`,
    );
  }
  if (typeof value === "string") return [{ role: "user", content: checked(where, "the prompt", text, value) }];
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new InputError(`${where}: must be a string, {"prompt": …} or {"messages": [{"role", "content"}, …]}`);
  if ("messages" in value) {
    const { messages } = checked(where, "", withMessages, value);
    if (!messages.some((one) => one.role === "user"))
      throw new InputError(`${where}: has no message whose role is "user"; add one`);
    return messages;
  }
  if ("prompt" in value) return [{ role: "user", content: checked(where, "", withPrompt, value).prompt }];
  throw new InputError(
    `${where}: has neither "prompt" nor "messages"; it has ${quoteAll(Object.keys(value).slice(0, 5)) || "no keys"}`,
  );
}

function checked<T>(where: string, what: string, schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new InputError(`${where}: ${firstWrong(parsed.error, what)}`);
}
