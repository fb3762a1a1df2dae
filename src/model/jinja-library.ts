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
}

export interface JinjaInterpreter {
  run(program: unknown): JinjaValue;
  /** Evaluates one node of the template; every other step goes through it. */
  evaluate(node: unknown, environment: JinjaEnvironment): JinjaValue;
}

interface Library {
  readonly Template: new (source: string) => { readonly parsed: unknown };
  readonly Environment: new (around?: JinjaEnvironment) => JinjaEnvironment;
  readonly Interpreter: new (environment: JinjaEnvironment) => JinjaInterpreter;
}

export const { Template, Environment, Interpreter } = library as unknown as Library;
