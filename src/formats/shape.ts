/** What a document from outside has wrong, in words: a zod shape knows it, in words of its own. */
import type { z } from "zod";
import { quote, quoteAll } from "./input-error.js";
import { nearestOf } from "./nearest.js";

type Issue = Pick<z.core.$ZodIssue, "message" | "path"> & { readonly code?: string | undefined };

/** How zod's own messages begin; others are a shape's, and say better what is meant. */
const STANDARD = /^(?:Invalid |Too |Unrecognized )/;
const MISSING = /received undefined$/;
/** The kinds of value that a shape may ask for, as people call them. */
const KINDS: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  tuple: "a list",
  object: "fields with names",
  record: "fields with names",
};

/**
 * "steps: must be at least 1": where the first thing wrong is, and what it is. `whole` is what the document is called where it is wrong
 * as a whole; `known` are its fields, of which one that it does not have may be a misspelling.
 */
export function firstWrong(error: z.ZodError, whole: string, known: readonly string[] = []): string {
  const issue = error.issues[0]!;
  return `${issue.path.map(String).join(".") || whole}: ${wrongInWords(issue, issue.path.length === 0 ? known : [])}`;
}

/** What is wrong, without where. */
export function wrongInWords(issue: Issue, known: readonly string[] = []): string {
  if (!STANDARD.test(issue.message)) return issue.message;
  const given = issue as z.core.$ZodIssue;
  switch (given.code) {
    case "unrecognized_keys":
      return unknownField(given.keys, known);
    case "invalid_type": {
      const wanted = KINDS[given.expected];
      if (wanted === undefined) return issue.message;
      return MISSING.test(issue.message) ? `is missing; ${wanted} is needed` : `must be ${wanted}`;
    }
    case "invalid_value":
      return given.values.length === 1
        ? `must be ${quote(String(given.values[0]))}`
        : `must be one of ${quoteAll(given.values.map(String))}`;
    case "too_small":
      return bounded(given.origin, Number(given.minimum), given.inclusive === false ? "more than" : "at least");
    case "too_big":
      return bounded(given.origin, Number(given.maximum), given.inclusive === false ? "less than" : "at most");
    default:
      return issue.message;
  }
}

function bounded(origin: string, limit: number, how: string): string {
  if (origin === "string")
    return limit === 1 && how === "at least" ? "is empty" : `must have ${how} ${limit} characters`;
  if (origin === "array") return limit === 1 && how === "at least" ? "is empty" : `must have ${how} ${limit} entries`;
  return `must be ${how} ${limit}`;
}

function unknownField(keys: readonly string[], known: readonly string[]): string {
  const near = nearestOf(keys[0] ?? "", known);
  const instead =
    near !== undefined ? `; did you mean ${quote(near)}?` : known.length > 0 ? `; there are ${known.join(", ")}` : "";
  return `has no field ${quoteAll(keys.slice(0, 1))}${instead}`;
}
