/** The flags of `find` that say how a method searches, and the method's options that they become. */
import { type Command, Option } from "commander";
import { InputError } from "../../formats/input-error.js";
import type { Method, MethodOptions, Optimizer } from "../../methods/method.js";
import { nonNegativeNumber, positiveNumber, wholeNumber } from "../terminal/options.js";

export interface SearchFlags {
  readonly seed: number;
  readonly steps?: number;
  readonly vectors?: number;
  readonly lambda?: number;
  readonly radius?: number;
  readonly optimizer?: Optimizer;
  readonly lr?: number;
  readonly signed?: boolean;
  readonly units?: "typical" | "raw";
  readonly readBy?: "encoder" | "decoder";
  readonly unitNorm?: boolean;
  readonly patience?: number;
  readonly variant?: "post" | "published";
  readonly p?: number;
  readonly q?: number;
  readonly targetLayer?: number;
}

export function searchOptions(command: Command): Command {
  return command
    .option("--steps <n>", "cap on updates for each vector, a path of λ included", wholeNumber(1))
    .option("--vectors <n>", "how many mutually orthogonal vectors", wholeNumber(1))
    .option("--lambda <x>", "weight of the penalty; default: found by a path", nonNegativeNumber)
    .option(
      "--radius <x>",
      "fixed norm of the vector; default: a penalty, or for melbo and sae-melbo found",
      positiveNumber,
    )
    .addOption(new Option("--optimizer <which>", "what minimises; default: adam").choices(["adam", "proximal"]))
    .option("--lr <x>", "Adam's learning rate", positiveNumber)
    .option("--signed", "latents may be negative too")
    .addOption(new Option("--units <which>", "coordinates of latents").choices(["typical", "raw"]))
    .addOption(new Option("--read-by <which>", "what reads a vector as latents").choices(["encoder", "decoder"]))
    .option("--unit-norm", "score with decoder rows of norm 1")
    .option("--patience <n>", "stop after so many steps without progress", wholeNumber(1))
    .addOption(
      new Option("--variant <which>", "melbo by the post's formula, or as its published code computes").choices([
        "post",
        "published",
      ]),
    )
    .option("--target-layer <n>", "block whose change melbo and sae-melbo measure", wholeNumber(0))
    .option("--p <x>", "power of each norm of that change (2)", positiveNumber)
    .option("--q <x>", "root over each prompt's sum of powers (1)", positiveNumber);
}

/** A method's option as the flag that sets it. */
function flagOf(option: string): string {
  if (option === "learningRate") return "--lr";
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** That a search does not have this option, and which it has. */
export function hasNoFlag(name: string, option: string, options: readonly string[]): string {
  const own = options.filter((one) => one !== "seed").map(flagOf);
  return `${flagOf(option)}: ${name} has no such flag; of those that say how to search it takes ${own.join(", ") || "none"}`;
}

/** The flags that were given, as the method's options. InputError for one that is not the method's. */
export function methodOptions(method: Method, flags: SearchFlags): MethodOptions {
  const { variant } = flags;
  const hasVariants = method.options.includes("variant");
  // Every method has the post's form, so naming it asks for nothing.
  if (variant === "published" && !hasVariants)
    throw new InputError(`--variant published: there is no published code of ${method.name}; it is for melbo alone`);
  const given: MethodOptions = {
    ...(flags.steps === undefined ? {} : { steps: flags.steps }),
    ...(flags.vectors === undefined ? {} : { vectors: flags.vectors }),
    ...(flags.lambda === undefined ? {} : { lambda: flags.lambda }),
    ...(flags.radius === undefined ? {} : { radius: flags.radius }),
    ...(flags.optimizer === undefined ? {} : { optimizer: flags.optimizer }),
    ...(flags.lr === undefined ? {} : { learningRate: flags.lr }),
    ...(flags.signed === undefined ? {} : { signed: flags.signed }),
    ...(flags.units === undefined ? {} : { units: flags.units }),
    ...(flags.readBy === undefined ? {} : { readBy: flags.readBy }),
    ...(flags.unitNorm === undefined ? {} : { unitNorm: flags.unitNorm }),
    ...(flags.patience === undefined ? {} : { patience: flags.patience }),
    ...(flags.p === undefined ? {} : { p: flags.p }),
    ...(flags.q === undefined ? {} : { q: flags.q }),
    ...(flags.targetLayer === undefined ? {} : { targetLayer: flags.targetLayer }),
    ...(variant === undefined || !hasVariants ? {} : { variant }),
  };
  const foreign = Object.keys(given).find((option) => !method.options.includes(option as keyof MethodOptions));
  if (foreign !== undefined) throw new InputError(hasNoFlag(method.name, foreign, method.options));
  return method.options.includes("seed") ? { ...given, seed: flags.seed } : given;
}
