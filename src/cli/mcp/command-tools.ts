/**
 * Commands as tools for agents: every command that prints one JSON document is one, its arguments and flags are the tool's input, and
 * what is called is the command line that a person would type. A new command is a tool without another line.
 */
import type { Argument, Command, Option } from "commander";
import * as z from "zod";
import { isCollected } from "../terminal/options.js";

/** They go on until somebody ends them. */
const ENDLESS = ["serve", "mcp"];
const JSON_FLAG = "--json";

type Scalar = string | number;
type Value = Scalar | boolean | readonly Scalar[];

export interface CommandTool {
  /** The command's words, joined: `runs_list`. */
  readonly name: string;
  readonly description: string;
  /** One field for each argument, by its name, and for each flag, without its dashes. */
  readonly input: z.ZodType<Readonly<Record<string, Value>>>;
  /** The command line that the input stands for, without the program. */
  readonly argv: (input: Readonly<Record<string, Value>>) => string[];
}

/** The tools of a program, in its commands' order. */
export function commandTools(program: Command): CommandTool[] {
  const leaves = (command: Command, words: readonly string[]): CommandTool[] =>
    command.commands.length === 0
      ? command.options.some(({ long }) => long === JSON_FLAG)
        ? [commandTool(command, words)]
        : []
      : command.commands.flatMap((child) => leaves(child, [...words, child.name()]));
  return program.commands
    .filter((command) => !ENDLESS.includes(command.name()))
    .flatMap((command) => leaves(command, [command.name()]));
}

function commandTool(command: Command, words: readonly string[]): CommandTool {
  const args = command.registeredArguments;
  const options = command.options.filter(({ long, hidden }) => long !== JSON_FLAG && long !== undefined && !hidden);
  const fields = [
    ...args.map((arg) => [arg.name(), argumentSchema(arg)] as const),
    ...options.map((option) => [fieldOf(option), optionSchema(option)] as const),
  ];
  if (new Set(fields.map(([name]) => name)).size < fields.length)
    throw new Error(`${words.join(" ")}: an argument is called as a flag is`);
  return {
    name: words.join("_"),
    description: command.description(),
    input: z.strictObject(Object.fromEntries(fields)) as unknown as CommandTool["input"],
    argv: (input) => [
      ...words,
      JSON_FLAG,
      ...options.flatMap((option) => flagTexts(option, input[fieldOf(option)])),
      "--",
      ...args.flatMap((arg) => listOf(input[arg.name()]).map(String)),
    ],
  };
}

const fieldOf = ({ long }: Option): string => (long as string).slice(2);

const scalar = z.union([z.string(), z.number()]);

function argumentSchema(arg: Argument): z.ZodType {
  const one = arg.argChoices === undefined ? scalar : z.enum(arg.argChoices);
  const schema = arg.variadic ? z.array(one) : one;
  return (arg.required ? schema : schema.optional()).describe(described(arg.description, arg.defaultValue));
}

function optionSchema(option: Option): z.ZodType {
  const text = described(option.description, option.defaultValue);
  if (option.isBoolean() || option.negate) return z.boolean().optional().describe(text);
  const one = option.argChoices === undefined ? scalar : z.enum(option.argChoices);
  const many = option.variadic || isCollected(option);
  const schema: z.ZodType = many ? z.union([one, z.array(one)]) : one;
  return (option.optional ? z.union([schema, z.boolean()]) : schema).optional().describe(text);
}

function described(text: string, value: unknown): string {
  return value === undefined ? text : `${text} (default: ${JSON.stringify(value)})`;
}

function listOf(value: Value | undefined): readonly (Scalar | boolean)[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value as Scalar | boolean];
}

/** A flag as it is typed, its value behind `=`, so that one that begins with a dash is no flag. */
function flagTexts(option: Option, value: Value | undefined): string[] {
  return listOf(value).flatMap((one) =>
    one === true ? [`${option.long}`] : one === false ? [] : [`${option.long}=${one}`],
  );
}
