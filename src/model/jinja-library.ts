/**
 * The parts of @huggingface/jinja that are used here, typed: its declarations import without file extensions, so module
 * resolution for Node does not find these classes.
 */
import * as library from "@huggingface/jinja";

/** Any value of a running template; strings and lists are what can grow. */
export interface JinjaValue {
  readonly value: unknown;
}

export interface JinjaEnvironment {
  set(name: string, value: unknown): void;
  lookupVariable(name: string): JinjaValue;
}

/** A node of a parsed template, with the fields that are looked at here. */
export interface JinjaNode {
  readonly type: string;
  readonly value?: unknown;
  readonly operator?: unknown;
  readonly left?: JinjaNode;
  readonly right?: JinjaNode;
  readonly callee?: JinjaNode;
  readonly args?: readonly JinjaNode[];
  readonly object?: JinjaNode;
  readonly property?: JinjaNode;
  readonly computed?: boolean;
}

export interface JinjaInterpreter {
  run(program: unknown): JinjaValue;
  /** Evaluates one node of the template; every other step goes through it. */
  evaluate(node: unknown, environment: JinjaEnvironment): JinjaValue;
  evaluateCallExpression(node: JinjaNode, environment: JinjaEnvironment): JinjaValue;
  evaluateBinaryExpression(node: JinjaNode, environment: JinjaEnvironment): JinjaValue;
  applyFilter(operand: JinjaValue, filter: JinjaNode, environment: JinjaEnvironment): JinjaValue;
}

interface Library {
  readonly Template: new (source: string) => { readonly parsed: unknown };
  readonly Environment: new (around?: JinjaEnvironment) => JinjaEnvironment;
  readonly Interpreter: new (environment: JinjaEnvironment) => JinjaInterpreter;
}

export const { Template, Environment, Interpreter } = library as unknown as Library;
