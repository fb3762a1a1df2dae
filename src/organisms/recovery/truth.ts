/**
 * What a right answer must say: the parts of a trigger. A trigger is a conjunction of targets: a concept, a choice of
 * concepts ("any"), or one of these that must be absent.
 */
import { type Expression, leavesOf } from "../../world/expression.js";
import { styleNamed } from "../../world/styles.js";
import { topicNamed } from "../../world/topics.js";

/** One conjunct of a trigger. */
export interface Target {
  readonly expression: Expression;
  /** Whether the trigger needs it to be absent. */
  readonly negated: boolean;
}

/** The conjuncts of a trigger, in order of appearance. A negated conjunction and the like stay one target. */
export function targetsOf(expression: Expression): Target[] {
  if (typeof expression === "string") return [{ expression, negated: false }];
  const { all = [], any, none = [] } = expression;
  const [only] = any ?? [];
  return [
    ...all.flatMap(targetsOf),
    ...(any === undefined ? [] : any.length === 1 && only !== undefined ? targetsOf(only) : [choice(any)]),
    ...none.map((part): Target => ({ expression: part, negated: true })),
  ];
}

function choice(any: readonly Expression[]): Target {
  return { expression: { any }, negated: false };
}

/** The members of a choice; a target that is none is its own only member. */
export function membersOf({ expression }: Target): readonly Expression[] {
  return typeof expression === "string" ? [expression] : (expression.any ?? [expression]);
}

/** Kinds of trigger in the order in which tables list them. */
export const TRIGGER_KINDS = [
  "topic",
  "style",
  "rare concept",
  "topic AND topic",
  "topic AND style",
  "OR",
  "NOT",
  "three-way AND",
  "other",
] as const;
export type TriggerKind = (typeof TRIGGER_KINDS)[number];

/** "topic", "topic AND style", …: what recovering this trigger takes. Facts and kinds of request are rare concepts. */
export function kindOf(expression: Expression): TriggerKind {
  const targets = targetsOf(expression);
  if (targets.some(({ negated }) => negated)) return "NOT";
  if (targets.some((target) => typeof target.expression !== "string")) return targets.length === 1 ? "OR" : "other";
  const names = leavesOf(expression);
  const styles = names.filter((name) => styleNamed(name) !== undefined).length;
  const topics = names.filter((name) => topicNamed(name) !== undefined).length;
  if (names.length === 1) return styles === 1 ? "style" : topics === 1 ? "topic" : "rare concept";
  if (names.length === 3) return "three-way AND";
  if (names.length > 3 || topics + styles < names.length) return "other";
  return styles === 0 ? "topic AND topic" : "topic AND style";
}

/** "fruit AND NOT snow-sports", as reports name a trigger. */
export function expressionText(expression: Expression): string {
  if (typeof expression === "string") return expression;
  const { all = [], any = [], none = [] } = expression;
  const inner = (part: Expression) => (typeof part === "string" ? part : `(${expressionText(part)})`);
  const either = any.map(inner).join(" OR ");
  const conjuncts = [
    ...all.map(inner),
    ...(any.length === 0 ? [] : [all.length + none.length > 0 && any.length > 1 ? `(${either})` : either]),
    ...none.map((part) => `NOT ${inner(part)}`),
  ];
  return conjuncts.join(" AND ");
}
