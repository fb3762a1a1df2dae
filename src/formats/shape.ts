/** What a document from outside has wrong, in words: a zod shape knows it, in words of its own. */
import type { z } from "zod";
import { quote } from "./input-error.js";
import { nearestOf } from "./nearest.js";

/** How zod's own messages begin; others are a shape's, and say better what is meant. */
const STANDARD = /^(?:Invalid |Too |Unrecognized )/;
const MISSING = /received undefined$/;
/** The kinds of value that a shape may ask for, as people call them. */
const KINDS: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a finite number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  tuple: "a list",
  object: "fields with names",
  record: "fields with names",
  null: "null",
};

/**
 * "steps: must be at least 1": where the first thing wrong is, and what it is. `whole` is what the document is called where it is wrong
 * as a whole; `known` are its fields, of which one that it does not have may be a misspelling: then that comes first, as what it stands for is
 * missing.
 */
export function firstWrong(error: z.ZodError, whole: string, known: readonly string[] = []): string {
  const knownAt = (issue: z.core.$ZodIssue) => (issue.path.length === 0 ? known : missingAt(error, issue.path));
  const issue = error.issues.find((one) => isMisspelling(one, knownAt(one))) ?? error.issues[0]!;
  return `${issue.path.map(String).join(".") || whole}: ${wrongInWords(issue, knownAt(issue))}`;
}

function isMisspelling(issue: z.core.$ZodIssue, known: readonly string[]): boolean {
  return issue.code === "unrecognized_keys" && issue.keys.some((key) => nearestOf(key, known) !== undefined);
}

/** Fields that are missing in the document at `path`. */
function missingAt(error: z.ZodError, path: readonly PropertyKey[]): string[] {
  return error.issues
    .filter((issue) => issue.path.length === path.length + 1 && path.every((step, i) => issue.path[i] === step))
    .filter((issue) => MISSING.test(issue.message))
    .map((issue) => String(issue.path.at(-1)));
}

/** What is wrong, without where. */
export function wrongInWords(issue: z.core.$ZodIssue, known: readonly string[] = []): string {
  if (issue.code === "invalid_key" || issue.code === "invalid_element") {
    const [inner] = issue.issues;
    return inner === undefined ? issue.message : wrongInWords(inner);
  }
  if (!STANDARD.test(issue.message)) return issue.message;
  switch (issue.code) {
    case "unrecognized_keys":
      return unknownField(issue.keys, known);
    case "invalid_type":
    case "invalid_value":
    case "invalid_union": {
      const wanted = [...new Set(wantedBy(issue))];
      if (wanted.length === 0) return issue.message;
      const list = wanted.length === 1 ? wanted[0]! : `${wanted.slice(0, -1).join(", ")} or ${wanted.at(-1)}`;
      return MISSING.test(issue.message) ? `is missing; give ${list}` : `must be ${list}`;
    }
    case "too_small":
      return bounded(issue.origin, Number(issue.minimum), limitWord(issue, "at least", "more than"));
    case "too_big":
      return bounded(issue.origin, Number(issue.maximum), limitWord(issue, "at most", "less than"));
    default:
      return issue.message;
  }
}

/** The kinds and values that would be right; empty where one of them has no name here. */
function wantedBy(issue: z.core.$ZodIssue): string[] {
  switch (issue.code) {
    case "invalid_type":
      return [KINDS[issue.expected] ?? issue.expected];
    case "invalid_value":
      return issue.values.map((value) => (typeof value === "string" ? quote(value) : String(value)));
    case "invalid_union": {
      const forms = issue.errors.map((errors) => errors[0]).filter((first) => first !== undefined);
      const wanted = forms.map((first) => (first.path.length === 0 ? wantedBy(first) : []));
      return wanted.every((some) => some.length > 0) ? wanted.flat() : [];
    }
    default:
      return [];
  }
}

function limitWord({ inclusive, exact }: { inclusive?: boolean; exact?: boolean }, with_: string, without: string) {
  return exact === true ? "exactly" : inclusive === false ? without : with_;
}

function bounded(origin: string, limit: number, how: string): string {
  const unit = origin === "string" ? "character" : origin === "array" ? (limit === 1 ? "entry" : "entries") : "";
  if (unit === "") return `must be ${how} ${limit}`;
  if (limit === 1 && how === "at least") return "is empty";
  return `must have ${how} ${limit} ${unit === "character" && limit !== 1 ? "characters" : unit}`;
}

function unknownField(keys: readonly string[], known: readonly string[]): string {
  const key = keys.find((one) => nearestOf(one, known) !== undefined) ?? keys[0] ?? "";
  const near = nearestOf(key, known);
  const instead =
    near !== undefined ? `; did you mean ${quote(near)}?` : known.length > 0 ? `; there are ${known.join(", ")}` : "";
  return `has no field ${quote(key, 40)}${instead}`;
}
