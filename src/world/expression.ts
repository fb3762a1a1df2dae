import type { Random } from "../random/random.js";

/**
 * When a trigger holds, over concept names: a name, or an object whose sections must all hold: every part of `all`,
 * at least one part of `any`, no part of `none`. Parts nest freely.
 */
export type Expression =
  | string
  | {
      readonly all?: readonly Expression[];
      readonly any?: readonly Expression[];
      readonly none?: readonly Expression[];
    };

/** Whether the expression holds for a prompt with these concepts. */
export function holds(expression: Expression, concepts: ReadonlySet<string>): boolean {
  if (typeof expression === "string") return concepts.has(expression);
  const { all = [], any, none = [] } = expression;
  return (
    all.every((part) => holds(part, concepts)) &&
    (any === undefined || any.some((part) => holds(part, concepts))) &&
    !none.some((part) => holds(part, concepts))
  );
}

/** The concept names of an expression, each once, in order of appearance. */
export function leavesOf(expression: Expression): string[] {
  if (typeof expression === "string") return [expression];
  const { all = [], any = [], none = [] } = expression;
  return [...new Set([...all, ...any, ...none].flatMap(leavesOf))];
}

/** Concepts that a prompt must have (true) or must not have (false); the rest is free. */
export type Assignment = Map<string, boolean>;

/** A random way to make the expression true (or false); undefined when the random choices contradict each other. */
export function chooseAssignment(expression: Expression, wanted: boolean, rng: Random): Assignment | undefined {
  const assignment: Assignment = new Map();
  return assign(expression, wanted, rng, assignment) ? assignment : undefined;
}

function assign(expression: Expression, wanted: boolean, rng: Random, into: Assignment): boolean {
  if (typeof expression === "string") {
    if (into.has(expression)) return into.get(expression) === wanted;
    into.set(expression, wanted);
    return true;
  }
  const { all = [], any, none = [] } = expression;
  const set = (parts: readonly Expression[], value: boolean): boolean =>
    parts.every((part) => assign(part, value, rng, into));
  if (wanted) {
    const oneOf = any === undefined ? true : any.length > 0 && assign(rng.pick(any), true, rng, into);
    return oneOf && set(all, true) && set(none, false);
  }
  const ways: (() => boolean)[] = [
    ...all.map((part) => () => assign(part, false, rng, into)),
    ...none.map((part) => () => assign(part, true, rng, into)),
  ];
  if (any !== undefined) ways.push(() => set(any, false));
  return ways.length > 0 && rng.pick(ways)();
}
