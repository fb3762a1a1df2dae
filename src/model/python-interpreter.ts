/** Templates are written for Python: what @huggingface/jinja evaluates in JavaScript's way is evaluated in Python's here. */
import { Environment, Interpreter, type JinjaEnvironment, type JinjaNode, type JinjaValue } from "./jinja-library.js";
import { strip, stripEnd, stripStart } from "./python-strip.js";

/** Methods of strings that take characters to strip; the library strips white space whatever they are given. */
const STRIPS: Readonly<Record<string, typeof strip>> = { strip, lstrip: stripStart, rstrip: stripEnd };

export class PythonInterpreter extends Interpreter {
  override evaluateCallExpression(node: JinjaNode, environment: JinjaEnvironment): JinjaValue {
    const { callee, args = [] } = node;
    const method = callee?.type === "MemberExpression" && !callee.computed ? String(callee.property?.value) : "";
    const stripped = Object.hasOwn(STRIPS, method) ? STRIPS[method] : undefined;
    if (stripped && callee?.object && args.length <= 1) {
      const { value: text } = this.evaluate(callee.object, environment);
      const chars = args[0] && this.evaluate(args[0], environment).value;
      if (typeof text === "string" && (chars === undefined || typeof chars === "string"))
        return asValue(stripped(text, chars));
    }
    return super.evaluateCallExpression(node, environment);
  }

  override applyFilter(operand: JinjaValue, filter: JinjaNode, environment: JinjaEnvironment): JinjaValue {
    if (filter.type === "Identifier" && filter.value === "trim" && typeof operand.value === "string")
      return asValue(strip(operand.value));
    return super.applyFilter(operand, filter, environment);
  }

  override evaluateBinaryExpression(node: JinjaNode, environment: JinjaEnvironment): JinjaValue {
    const { value: operator } = node.operator as { value: string };
    if (operator !== "==" && operator !== "!=") return super.evaluateBinaryExpression(node, environment);
    const left = this.evaluate(node.left as JinjaNode, environment).value;
    const right = this.evaluate(node.right as JinjaNode, environment).value;
    return asValue(equal(left, right) === (operator === "=="));
  }
}

/** "" is not false, but true is 1. */
function equal(left: unknown, right: unknown): boolean {
  const number = (value: unknown) => (typeof value === "boolean" ? Number(value) : value);
  return number(left) === number(right);
}

/** A value as templates have it. */
function asValue(value: string | boolean): JinjaValue {
  const environment = new Environment();
  environment.set("value", value);
  return environment.lookupVariable("value");
}
