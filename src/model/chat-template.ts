/**
 * A model's chat template: found among its files and rendered with @huggingface/jinja as transformers renders it.
 * Templates come from strangers, so size, steps, time and output are bounded, and today's date is a fixed one, so that
 * the same prompt renders alike every day.
 */
import { z } from "zod";
import type { FileFolder } from "../formats/byte-source.js";
import { InputError, quote, quoteAll } from "../formats/input-error.js";
import { readJson, readText } from "../formats/json.js";
import { Environment, type JinjaEnvironment, type JinjaValue, Template } from "./jinja-library.js";
import { PythonInterpreter } from "./python-interpreter.js";
import { type NamedToken, readTokenizerConfig } from "./tokenizer-files.js";

/** The day that templates which print today's date are told: the one Llama 3.1's own template falls back to. */
export const FIXED_DATE = "26 Jul 2024";
const FIXED_DAY = new Date(Date.UTC(2024, 6, 26));

/** The longest published templates (tool use, multimodal) have about 20 KB. */
const MAX_TEMPLATE_BYTES = 1024 * 1024;
/** Rendering a message takes a few hundred evaluations; this is ten thousand messages. */
const MAX_STEPS = 2_000_000;
/** A template that renders for longer than this is not one a person waits for. */
const MAX_RENDER_MS = 5_000;
/** A rendered prompt (16 MiB of text is some four million tokens), and any string made on the way. */
const MAX_LENGTH = 16 * 1024 * 1024;
/** Templates count over messages; a longer range or list can only be meant to exhaust memory. */
const MAX_RANGE = 100_000;

/** One turn of a conversation. */
export interface Message {
  readonly role: string;
  readonly content: string;
}

export interface Rendered {
  readonly text: string;
  /** Whether the text shows FIXED_DATE (the template asked for today's date); results should say so. */
  readonly usesDate: boolean;
}

/** A template that can be rendered. */
export interface ChatTemplate {
  /** Where it was found, for messages. */
  readonly name: string;
  /** Renders a conversation; InputError when the template refuses it or exceeds a limit. */
  render(messages: readonly Message[], options?: { readonly generationPrompt?: boolean }): Rendered;
}

/**
 * Finds the template in `folder`: chat_template.jinja, else chat_template.json, else tokenizer_config.json (a string, or
 * a list of {name, template} with a "default"). `named` are the texts of bos_token … . InputError when there is none.
 */
export async function loadChatTemplate(
  folder: FileFolder,
  named: Readonly<Partial<Record<NamedToken, string>>>,
): Promise<ChatTemplate> {
  const { name, source } = await findTemplate(folder);
  return compileTemplate(name, source, named);
}

/** Compiles the template text `source`. InputError when it is too long or not a template. */
export function compileTemplate(
  name: string,
  source: string,
  named: Readonly<Partial<Record<NamedToken, string>>> = {},
): ChatTemplate {
  if (source.length > MAX_TEMPLATE_BYTES)
    throw new InputError(
      `${name}: the chat template has ${source.length} characters; at most ${MAX_TEMPLATE_BYTES} are read`,
    );
  let program: unknown;
  try {
    program = new Template(source).parsed;
  } catch (error) {
    throw new InputError(`${name}: the chat template cannot be parsed (${(error as Error).message}); --raw skips it`);
  }
  let usesDate = false;
  const globals = environmentOf({
    ...CONSTANTS,
    ...named,
    range: boundedRange,
    raise_exception: (message: unknown) => {
      throw new Refusal(String(message));
    },
    strftime_now: (format: unknown) => {
      usesDate = true;
      return strftime(FIXED_DAY, String(format));
    },
  });
  return {
    name,
    render: (messages, { generationPrompt = true } = {}) => {
      usesDate = false;
      const conversation = messages.map(({ role, content }) => ({ role, content }));
      const environment = environmentOf({ messages: conversation, add_generation_prompt: generationPrompt }, globals);
      try {
        const text = String(new BoundedInterpreter(environment).run(program).value);
        // Llama 3.1's first template writes the date itself, where it is not given one.
        return { text, usesDate: usesDate || (source.includes("date_string") && text.includes(FIXED_DATE)) };
      } catch (error) {
        const why = (error as Error).message;
        if (error instanceof Refusal)
          throw new InputError(
            `${name}: the chat template refuses this conversation: ${quote(why, 200)}; change the messages, or use --raw`,
          );
        throw new InputError(`${name}: the chat template failed on this conversation (${why}); --raw skips it`);
      }
    },
  };
}

/** What a template sets goes into the environment it runs in: the one around it stays as it is. */
function environmentOf(values: Readonly<Record<string, unknown>>, around?: JinjaEnvironment): JinjaEnvironment {
  const environment = new Environment(around);
  for (const [key, value] of Object.entries(values)) environment.set(key, value);
  return environment;
}

const CONSTANTS = {
  true: true,
  false: false,
  none: null,
  True: true,
  False: false,
  None: null,
  tools: null,
  documents: null,
};

/** What `raise_exception` throws. */
class Refusal extends Error {}

/** Counts every node it evaluates, so that loops, recursion and growing strings end in an error and not in a hang. */
class BoundedInterpreter extends PythonInterpreter {
  #steps = 0;
  readonly #deadline = Date.now() + MAX_RENDER_MS;

  override evaluate(node: unknown, environment: JinjaEnvironment): JinjaValue {
    if (++this.#steps > MAX_STEPS) throw new Error(`it takes more than ${MAX_STEPS} steps`);
    // At every step: one step may be a loop over a long list with nothing in it to evaluate.
    if (Date.now() > this.#deadline) throw new Error(`it takes longer than ${MAX_RENDER_MS / 1000} s`);
    const result = super.evaluate(node, environment);
    const { value } = result;
    if (typeof value === "string" && value.length > MAX_LENGTH)
      throw new Error(`it makes more than ${MAX_LENGTH} characters`);
    if (Array.isArray(value) && value.length > MAX_RANGE)
      throw new Error(`it makes a list of more than ${MAX_RANGE} entries`);
    return result;
  }
}

function boundedRange(...bounds: number[]): number[] {
  const [start, stop] = bounds.length > 1 ? [bounds[0] as number, bounds[1] as number] : [0, bounds[0] as number];
  const step = bounds[2] ?? 1;
  const count = Math.max(0, Math.ceil((stop - start) / step));
  if (!(count <= MAX_RANGE)) throw new Error(`range() of more than ${MAX_RANGE} numbers`);
  return Array.from({ length: count }, (_, i) => start + i * step);
}

const MONTHS = "January February March April May June July August September October November December".split(" ");
const DAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

/** Python's strftime in the C locale, for the directives that chat templates use; others stay as they are. */
function strftime(date: Date, format: string): string {
  const two = (n: number) => String(n).padStart(2, "0");
  const month = MONTHS[date.getUTCMonth()] as string;
  const day = DAYS[date.getUTCDay()] as string;
  const parts: Record<string, string> = {
    d: two(date.getUTCDate()),
    "-d": String(date.getUTCDate()),
    e: String(date.getUTCDate()).padStart(2, " "),
    m: two(date.getUTCMonth() + 1),
    "-m": String(date.getUTCMonth() + 1),
    y: two(date.getUTCFullYear() % 100),
    Y: String(date.getUTCFullYear()),
    B: month,
    b: month.slice(0, 3),
    A: day,
    a: day.slice(0, 3),
    H: "00",
    I: "12",
    M: "00",
    S: "00",
    p: "AM",
    Z: "UTC",
    z: "+0000",
    "%": "%",
  };
  parts["F"] = `${parts["Y"]}-${parts["m"]}-${parts["d"]}`;
  parts["T"] = "00:00:00";
  return format.replace(/%(-?[a-zA-Z%])/g, (text, key: string) => parts[key] ?? text);
}

const named = z.array(z.object({ name: z.string(), template: z.string() }));
const templateSchema = z.union([z.string(), named]);

async function findTemplate(folder: FileFolder): Promise<{ name: string; source: string }> {
  if (await folder.has("chat_template.jinja")) {
    const file = await folder.open("chat_template.jinja");
    return { name: file.name, source: await readText(file, MAX_TEMPLATE_BYTES) };
  }
  if (await folder.has("chat_template.json")) {
    const file = await folder.open("chat_template.json");
    const holder = z.object({ chat_template: templateSchema }).safeParse(await readJson(file, MAX_TEMPLATE_BYTES));
    if (!holder.success)
      throw new InputError(`${file.name}: needs "chat_template", a string or a list of {name, template}`);
    return { name: file.name, source: pick(file.name, holder.data.chat_template) };
  }
  const { chat_template: given } = await readTokenizerConfig(folder);
  const name = `${folder.name}/tokenizer_config.json`;
  if (given === undefined || given === null)
    throw new InputError(`${folder.name}: has no chat template (a base model?); use --raw to give the prompt as it is`);
  const parsed = templateSchema.safeParse(given);
  if (!parsed.success) throw new InputError(`${name}: "chat_template" must be a string or a list of {name, template}`);
  return { name, source: pick(name, parsed.data) };
}

function pick(name: string, template: z.infer<typeof templateSchema>): string {
  if (typeof template === "string") return template;
  const found = template.find((one) => one.name === "default");
  if (!found)
    throw new InputError(
      `${name}: none of its chat templates is called "default" (${quoteAll(template.map((one) => one.name))}); use --raw`,
    );
  return found.template;
}
