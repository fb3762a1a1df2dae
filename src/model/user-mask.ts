/**
 * Which tokens of a rendered prompt are user content. The content is found by position, never by searching: the template
 * is rendered a second time with a private mark before and after each message's content; where taking the marks out gives
 * back the real rendering, the marks stood exactly around the content.
 *
 * 1. Marks go outside the content's outer white space. A template that trims then gives a different text (it cannot trim
 *    past a mark), so equality proves that the content stands there whole. All messages are tried at once.
 * 2. Else message by message: outside again, then one mark inside the outer white space, then both. The first place that
 *    gives equality is the widest one, so it tells which sides the template trimmed.
 */
import { InputError } from "../formats/input-error.js";
import type { ChatTemplate, Message } from "./chat-template.js";
import { strip, stripEnd, stripStart } from "./python-strip.js";
import type { Span, Tokenizer } from "./tokenizer.js";

/** Which prompt tokens are steered and attributed: user content, system content, or every token. */
export type Positions = "user" | "system" | "all";

/** Finding positions may render once a message; longer conversations than this are not prompts. */
const MAX_MESSAGES = 1024;
/** The private-use area that marks are taken from, as code points: 6400, more than two for each message. */
const PRIVATE_USE = [0xe000, 0xf8ff] as const;

export interface RenderedPrompt {
  /** The whole prompt, with the generation prompt. */
  readonly text: string;
  /** Token ids of `text`, without added special tokens; never empty. */
  readonly tokens: Int32Array;
  /** 1 where a token counts (see Positions), else 0; length of `tokens`. */
  readonly mask: Uint8Array;
  /** Whether the template printed today's date, which is FIXED_DATE here. */
  readonly usesDate: boolean;
}

export interface RenderOptions {
  readonly messages: readonly Message[];
  readonly tokenizer: Tokenizer;
  /** Not needed with `raw`. */
  readonly template?: ChatTemplate;
  /** Sets the system message, in place of the conversation's own if it has one. */
  readonly system?: string;
  /** No template: the text is the contents of the messages one after the other, and every token counts. */
  readonly raw?: boolean;
  readonly positions?: Positions;
}

/**
 * Renders and tokenises a conversation. A token is content when it covers at least one character and all its characters
 * lie in the content of one message of the wanted role. InputError when the template refuses, or changes contents so that
 * their place cannot be told.
 */
export function renderPrompt(options: RenderOptions): RenderedPrompt {
  const { tokenizer, template, raw = false, positions = "user" } = options;
  if (raw) {
    if (options.system !== undefined)
      throw new InputError("--system needs the chat template, which --raw skips; leave one out");
    const text = options.messages.map((message) => message.content).join("");
    const { ids } = tokenizer.encodeWithOffsets(text);
    if (ids.length === 0) throw new InputError("a raw prompt is empty; give it at least one character");
    return { text, tokens: ids, mask: new Uint8Array(ids.length).fill(1), usesDate: false };
  }
  const messages = withSystem(options.messages, options.system);
  if (!template) throw new InputError("this model has no chat template; use --raw to give the prompt as it is");
  if (positions === "system" && !messages.some((message) => message.role === "system"))
    throw new InputError("--positions system needs a system message; give one with --system");
  const { text, usesDate } = template.render(messages);
  const { ids, spans } = tokenizer.encodeWithOffsets(text);
  if (ids.length === 0)
    throw new InputError(`${template.name}: the chat template renders this conversation to nothing`);
  if (positions === "all") return { text, tokens: ids, mask: new Uint8Array(ids.length).fill(1), usesDate };
  const contents = contentSpans(template, messages, text, positions);
  return { text, tokens: ids, mask: maskOf(spans, contents.flat()), usesDate };
}

/** 1 for each token that covers at least one character and lies wholly inside one of `contents`. */
export function maskOf(tokens: readonly Span[], contents: readonly Span[]): Uint8Array {
  return Uint8Array.from(tokens, ([start, end]) =>
    end > start && contents.some(([from, to]) => start >= from && end <= to) ? 1 : 0,
  );
}

function withSystem(messages: readonly Message[], system: string | undefined): readonly Message[] {
  if (system === undefined) return messages;
  const rest = messages[0]?.role === "system" ? messages.slice(1) : messages;
  return [{ role: "system", content: system }, ...rest];
}

type Side = "outside" | "inside";
/** Where the marks of a message go, left and right, relative to the content's outer white space; the widest first. */
const WHOLE = ["outside", "outside"] as const;
const PLACES: readonly (readonly [Side, Side])[] = [
  WHOLE,
  ["inside", "outside"],
  ["outside", "inside"],
  ["inside", "inside"],
];

/**
 * For each message, where its content stands in `text` = the template's rendering of `messages`: usually one span, none
 * where the template leaves the message (or its empty content) out, several where it writes it several times. Messages of
 * other roles than `role` get none: templates may do with them what they like (cut an assistant's reasoning away).
 */
export function contentSpans(
  template: ChatTemplate,
  messages: readonly Message[],
  text: string,
  role = "user",
): Span[][] {
  if (messages.length > MAX_MESSAGES)
    throw new InputError(`a conversation has ${messages.length} messages; at most ${MAX_MESSAGES} are taken`);
  const marks = marksFor(messages, text);
  const wanted = (message: Message) => message.role === role && message.content !== "";
  const everyone = messages.map((_, i) => i).filter((i) => wanted(messages[i] as Message));
  const all = spansWithMarks(template, messages, text, marks, everyone, WHOLE);
  if (all) return all;
  return messages.map((message, i) => {
    if (!wanted(message)) return [];
    for (const place of PLACES) {
      const found = spansWithMarks(template, messages, text, marks, [i], place);
      if (found) return found[i] as Span[];
    }
    if (strip(message.content) === "" && isLeftOut(template, messages, text, i)) return [];
    throw new InputError(
      `${template.name}: the chat template changes the content of message ${i} (${message.role}), so which tokens are its content cannot be told; use --positions all, or --raw`,
    );
  });
}

/** Whether the rendering is the same without the content of message `i` (white space that was trimmed away). */
function isLeftOut(template: ChatTemplate, messages: readonly Message[], text: string, i: number): boolean {
  return (
    tryRender(
      template,
      messages.map((message, j) => (j === i ? { ...message, content: "" } : message)),
    ) === text
  );
}

/** Spans of the messages `which`, when marking them at `place` changes nothing else; undefined when it does. */
function spansWithMarks(
  template: ChatTemplate,
  messages: readonly Message[],
  text: string,
  marks: readonly string[],
  which: readonly number[],
  [left, right]: readonly [Side, Side],
): Span[][] | undefined {
  const marked = messages.map((message, i) => {
    if (!which.includes(i)) return message;
    const { content } = message;
    const from = left === "outside" ? 0 : content.length - stripStart(content).length;
    const to = right === "outside" ? content.length : stripEnd(content).length;
    if (from >= to) return message; // white space only: nothing would stand between the marks
    return {
      ...message,
      content: content.slice(0, from) + marks[2 * i] + content.slice(from, to) + marks[2 * i + 1] + content.slice(to),
    };
  });
  if (left === "inside" || right === "inside") for (const i of which) if (marked[i] === messages[i]) return undefined;
  const rendered = tryRender(template, marked);
  return rendered === undefined ? undefined : readMarks(rendered, text, marks, messages.length);
}

/** Takes the marks out of `rendered`; undefined unless `text` remains and every opening mark has its closing one. */
function readMarks(rendered: string, text: string, marks: readonly string[], count: number): Span[][] | undefined {
  const which = new Map(marks.map((mark, i) => [mark, i]));
  const spans: Span[][] = Array.from({ length: count }, () => []);
  const plain: string[] = [];
  let open: { message: number; at: number } | undefined;
  let at = 0; // in the text without marks
  let from = 0; // in `rendered`, after the last mark
  for (let i = 0; i <= rendered.length; i++) {
    const mark = i < rendered.length ? which.get(rendered[i] as string) : undefined;
    if (mark === undefined && i < rendered.length) continue;
    plain.push(rendered.slice(from, i));
    at += i - from;
    from = i + 1;
    if (mark === undefined) break;
    const message = mark >> 1;
    if (mark % 2 === 0) {
      if (open) return undefined;
      open = { message, at };
    } else {
      if (open?.message !== message) return undefined;
      spans[message]?.push([open.at, at]);
      open = undefined;
    }
  }
  return open === undefined && plain.join("") === text ? spans : undefined;
}

/** Two characters for each message that occur neither in the contents nor in the rendering. */
function marksFor(messages: readonly Message[], text: string): string[] {
  const used = new Set(text + messages.map((message) => message.role + message.content).join(""));
  const marks: string[] = [];
  for (let code = PRIVATE_USE[0]; code <= PRIVATE_USE[1] && marks.length < 2 * messages.length; code++) {
    const mark = String.fromCharCode(code);
    if (!used.has(mark)) marks.push(mark);
  }
  if (marks.length < 2 * messages.length)
    throw new InputError(
      "a conversation uses so many private-use characters that none is left to mark its contents with; use --raw",
    );
  return marks;
}

/** A marked conversation may be refused where the real one was not: then that way of marking does not work. */
function tryRender(template: ChatTemplate, messages: readonly Message[]): string | undefined {
  try {
    return template.render(messages).text;
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}
