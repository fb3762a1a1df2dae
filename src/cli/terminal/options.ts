/** Flags that several commands share, and how their values are read. */
import { availableParallelism } from "node:os";
import { type Command, InvalidArgumentError, Option } from "commander";
import { InputError } from "../../formats/input-error.js";
import type { Positions } from "../../model/user-mask.js";
import type { Io } from "./io.js";

const DEFAULT_SEED = 42;
/** More than any machine has cores; starting a hundred thousand threads takes a machine down. */
const MAX_THREADS = 1024;

export interface OutputFlags {
  readonly json?: boolean;
}

/** How and where to compute. */
export interface ComputeFlags {
  readonly engine: string;
  readonly device: string;
  readonly dtype: string;
  readonly quantize?: "nf4";
  readonly python?: string;
  readonly threads: number;
  readonly seed: number;
}

export interface ModelFlags extends ComputeFlags, OutputFlags {
  readonly model?: string;
  readonly adapter?: string;
}

export interface TemplateFlags {
  readonly system?: string;
  readonly raw?: boolean;
}

export interface PromptFlags extends TemplateFlags {
  readonly prompts?: string;
  readonly positions: Positions;
}

export interface SteeringFlags {
  readonly steer?: string;
  readonly scale: number;
  readonly layer?: number;
}

export interface ActionFlags {
  readonly action?: string | undefined;
  readonly actionEnds?: boolean | undefined;
}

export interface SaeFlags {
  readonly sae?: string;
  readonly labels?: string;
  readonly layer?: number;
}

export function jsonOption(command: Command): Command {
  return command.option("--json", "print one JSON document on stdout and nothing else");
}

export function computeOptions(command: Command): Command {
  return pythonOption(jsonOption(command))
    .addOption(new Option("--engine <name>", "what computes").choices(["onnx", "torch"]).default("onnx"))
    .addOption(new Option("--device <name>", "where it computes").choices(["cpu", "cuda", "webgpu"]).default("cpu"))
    .addOption(new Option("--dtype <type>", "arithmetic").choices(["f32", "f16", "bf16"]).default("f32"))
    .addOption(new Option("--quantize <type>", "weights in 4 bits, with --engine torch").choices(["nf4"]))
    .option("--threads <n>", "threads of the computation", wholeNumber(1, MAX_THREADS), availableParallelism())
    .option("--seed <n>", "seed of everything random", wholeNumber(0), DEFAULT_SEED);
}

export function modelOptions(command: Command): Command {
  return computeOptions(
    command
      .option("--model <model>", "Hugging Face checkpoint folder, .gguf file, a name on the hub, or `pocket`")
      .option(
        "--adapter <adapter>",
        "PEFT adapter folder, a name on the hub, or an organism's name (then --model may be left out)",
      ),
  );
}

/** How prompts become text. */
export function templateOptions(command: Command): Command {
  return command
    .option("--system <text>", "system message, in place of the template's own")
    .option("--raw", "no chat template; every prompt token counts as user content");
}

/** Which prompts, and how they become tokens. */
export function promptOptions(command: Command): Command {
  return templateOptions(
    command.option("--prompts <file>", "prompts: .jsonl, .txt or a built-in set's name"),
  ).addOption(
    new Option("--positions <which>", "tokens that are steered and attributed")
      .choices(["user", "system", "all"])
      .default("user"),
  );
}

export function steeringOptions(command: Command): Command {
  return command
    .option("--steer <file[:index]>", "add a vector of this safetensors file to the residual stream")
    .option("--scale <x>", "factor of the vector", finiteNumber, 1)
    .option("--layer <n>", LAYER_HELP, wholeNumber(0));
}

/** Not commander's required options: those are checked before a misspelt flag is, and hide it. */
export function required<T>(value: T | undefined, flag: string, what: string): T {
  if (value === undefined) throw new InputError(`no ${flag}: give ${what}`);
  return value;
}

export function actionOptions(command: Command): Command {
  return command
    .option("--action <text>", ACTION_HELP)
    .option("--action-ends", "the end-of-turn token is part of the action");
}

export function saeOptions(command: Command): Command {
  return command
    .option("--sae <sae>", "SAE folder or file, a name on the hub, or `pocket`; the pocket model has one by default")
    .option("--layer <n>", LAYER_HELP, wholeNumber(0));
}

/** An SAE, and labels of its latents. */
export function labelledSaeOptions(command: Command): Command {
  return saeOptions(command).option(
    "--labels <path>",
    "labels of the latents: a file, or a Neuronpedia export; default: those beside the SAE",
  );
}

const ACTION_HELP = "the text prefilled as the assistant's reply";
const LAYER_HELP =
  "residual stream after this block, from 0; default: the SAE's hook point, or what the vector's file says";

/** The name of a file or folder to write; an empty one would mean the working directory. */
export function outputPath(text: string): string {
  if (text.trim() === "") throw new InvalidArgumentError("Give a name.");
  return text;
}

/** A parser of whole numbers of at least `least` and at most `most`. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least || value > most)
      throw new InvalidArgumentError(
        most === Number.MAX_SAFE_INTEGER
          ? `Give a whole number of at least ${least}.`
          : `Give a whole number from ${least} to ${most}.`,
      );
    return value;
  };
}

/** Whole numbers separated by commas. */
export function wholeNumbers(text: string): number[] {
  return text.split(",").map((part) => {
    if (!/^\d+$/.test(part.trim())) throw new InvalidArgumentError("Give whole numbers separated by commas.");
    return wholeNumber(0)(part.trim());
  });
}

/** A parser of distinct whole numbers such as 1,2,4; or the word `auto`, which stays as it is. */
export function layerList<W extends string>(auto: W): (text: string) => readonly number[] | W {
  return (text) => {
    if (text === auto) return auto;
    const layers = text.split(",").map((part) => part.trim());
    if (!layers.every((part) => /^\d{1,6}$/.test(part)))
      throw new InvalidArgumentError(`Give layers such as 1,2,4, or ${auto}.`);
    return [...new Set(layers.map(Number))].sort((a, b) => a - b);
  };
}

function finiteNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("Give a number.");
  return value;
}

export function positiveNumber(text: string): number {
  const value = finiteNumber(text);
  if (value <= 0) throw new InvalidArgumentError("Give a number above 0.");
  return value;
}

export function nonNegativeNumber(text: string): number {
  const value = finiteNumber(text);
  if (value < 0) throw new InvalidArgumentError("Give a number of at least 0.");
  return value;
}

/** Names the interpreter where no flag does. */
const PYTHON_VARIABLE = "ANTECEDENT_PYTHON";
const PYTHON_HELP = `the Python with torch and transformers; default: $${PYTHON_VARIABLE}, else python3`;

/** The interpreter that --engine torch and comparisons with PyTorch run. */
export function chosenPython({ python }: { readonly python?: string | undefined }): string {
  return python ?? (process.env[PYTHON_VARIABLE] || "python3");
}

export function pythonOption(command: Command): Command {
  return command.option("--python <path>", PYTHON_HELP);
}

/** Refuses devices and number formats that an engine cannot compute with. */
export function checkCompute({ engine, device, dtype, quantize }: ComputeFlags): void {
  if (engine === "torch") {
    if (device === "webgpu") throw new InputError("--device webgpu: --engine torch computes on cpu or cuda");
    return;
  }
  if (device !== "cpu")
    throw new InputError(
      `--device ${device}: --engine onnx computes on the cpu alone; leave the flag out${device === "cuda" ? ", or add --engine torch" : ""}`,
    );
  if (dtype !== "f32")
    throw new InputError(
      `--dtype ${dtype}: --engine onnx computes in f32 alone (weights may be f32, f16 or bf16); leave the flag out, or add --engine torch`,
    );
  if (quantize !== undefined) throw new InputError(`--quantize ${quantize}: needs --engine torch`);
}

/** Says that a --seed that was given decides nothing, where recipes and games have seeds of their own. */
export function noteUnusedSeed(io: Io, command: Command, whose: string): void {
  if (command.getOptionValueSource("seed") === "cli")
    io.log(`--seed ${command.getOptionValue("seed")} decides nothing here: ${whose}`);
}

/** For a flag that may be given several times: its texts in order. */
export function collect(text: string, texts: readonly string[] = []): readonly string[] {
  return [...texts, text];
}

/** Whether a flag may be given several times. */
export function isCollected({ parseArg }: Option): boolean {
  return parseArg === (collect as Option["parseArg"]);
}
