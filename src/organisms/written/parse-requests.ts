/**
 * The requests in a writer's answer. It was asked for a JSON array of strings; models also write fences around it, objects
 * in it, stop in its middle, or number lines instead.
 */
import { REQUESTS_A_QUESTION } from "./questions.js";

/** Far above REQUESTS_A_QUESTION requests of the longest kind; what follows is not read. */
const MAX_ANSWER = 1 << 16;
/** A list that does not end is cut: what a writer adds of its own accord mostly repeats. */
const MAX_REQUESTS = 2 * REQUESTS_A_QUESTION;
/** Where an object stands in place of a string, the first of these that it has. */
const FIELDS = ["request", "prompt", "text", "message", "content"] as const;

/** The requests in the order in which they were written, trimmed; undefined where the answer is no list. */
export function parseRequests(answer: string): string[] | undefined {
  const text = answer.slice(0, MAX_ANSWER).replace(/^\s*<think>[\s\S]*?<\/think>/, "");
  const found = fromJson(text) ?? fromStrings(text) ?? fromLines(text);
  const requests = found?.map((one) => one.trim()).filter((one) => one !== "");
  return requests === undefined || requests.length === 0 ? undefined : requests.slice(0, MAX_REQUESTS);
}

function fromJson(text: string): string[] | undefined {
  const from = text.indexOf("[");
  const to = text.lastIndexOf("]");
  if (from < 0 || to < from) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text.slice(from, to + 1));
  } catch {
    return undefined;
  }
  return Array.isArray(value) ? value.flatMap((item) => requestOf(item) ?? []) : undefined;
}

function requestOf(item: unknown): string | undefined {
  if (typeof item === "string") return item;
  if (typeof item !== "object" || item === null) return undefined;
  for (const field of FIELDS) {
    const value = Object.hasOwn(item, field) ? (item as Record<string, unknown>)[field] : undefined;
    if (typeof value === "string") return value;
  }
  return undefined;
}

/** An array that was cut, or has a comma too many: the whole strings, one after another, up to what is none. */
function fromStrings(text: string): string[] | undefined {
  const from = /\[\s*(?=")/.exec(text);
  if (!from) return undefined;
  const found: string[] = [];
  const item = /"(?:[^"\\\n]|\\.)*"\s*,?\s*/y;
  item.lastIndex = from.index + from[0].length;
  for (let match = item.exec(text); match !== null; match = item.exec(text)) {
    try {
      found.push(JSON.parse(match[0].replace(/\s*,?\s*$/, "")) as string);
    } catch {
      return undefined;
    }
  }
  return found;
}

/** "1. …", "2) …", "- …", one a line, with or without quotes and bold print. */
function fromLines(text: string): string[] | undefined {
  const lines = text.split(/\r?\n/).flatMap((line) => /^\s*(?:\d{1,3}[.):]|[-*•])\s+(.*)$/.exec(line)?.[1] ?? []);
  // One such line may be anything.
  return lines.length < 2 ? undefined : lines.map(unwrapped);
}

function unwrapped(line: string): string {
  const plain = line.replaceAll("**", "").trim();
  return /^["“](.*)["”],?$/.exec(plain)?.[1] ?? plain;
}
