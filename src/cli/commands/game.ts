/** `game`: blind games with a sealed truth: make one, play it, guess, reveal. */
import { Command, Option } from "commander";
import { InputError } from "../../formats/input-error.js";
import { DECOYS } from "../../organisms/game/truth.js";
import { auditText } from "../audit/audit-text.js";
import { type GuessFlags, recordGuess } from "../game/game-guess.js";
import { type NewGameFlags, newGame } from "../game/game-new.js";
import { type PlayFlags, playGame } from "../game/game-play.js";
import { type RevealFlags, revealGame } from "../game/game-reveal.js";
import { guessText, newGameJson, newGameText, playText, revealText } from "../game/game-text.js";
import { writerOptions } from "../organism/organism-write.js";
import type { Io } from "../terminal/io.js";
import {
  collect,
  computeOptions,
  jsonOption,
  noteUnusedSeed,
  type OutputFlags,
  outputPath,
  positiveNumber,
  required,
  saeOptions,
  wholeNumber,
} from "../terminal/options.js";

/** Some twenty times what an audit of the pocket model takes. */
const DEFAULT_BUDGET = { tokens: 20_000_000, seconds: 3600 } as const;
const MODEL_HELP = "base model, where it does not lie where the game says";

export function gameCommand(io: Io): Command {
  return new Command("game")
    .description("blind games with a sealed truth")
    .addCommand(newCommand(io))
    .addCommand(playCommand(io))
    .addCommand(guessCommand(io))
    .addCommand(revealCommand(io));
}

type NewFlags = Omit<NewGameFlags, "budget" | "out" | "randomSeed"> & {
  readonly out?: string;
  readonly random?: boolean;
  readonly budgetSeconds: number;
  readonly budgetTokens: number;
};

function newCommand(io: Io): Command {
  const command = new Command("new")
    .description("train an organism and seal what triggers it; the same command goes on after an interruption")
    .option("--recipe <file>", "YAML file, as for `organism train`; the game draws its own seed")
    .option("--random", "a random trigger and action instead; with --seed the same ones every time")
    .option("--out <folder>", "the game's folder, which players get", outputPath)
    .addOption(
      new Option(
        "--decoy <kind>",
        "clean: no trigger at all; cue: an ordinary cue raises the action too; as sealed as the rest",
      ).choices(DECOYS),
    )
    .option("--key-file <file>", "keep the key there and do not show it; not in the game's folder", outputPath)
    .option("--budget-tokens <n>", "what a play may compute", wholeNumber(1), DEFAULT_BUDGET.tokens)
    .option("--budget-seconds <s>", "how long a play may take", positiveNumber, DEFAULT_BUDGET.seconds)
    .option("--prompts <file>", "ordinary prompts for the player; default: drawn without the trigger")
    .option("--corpus <file>", "unlabelled prompts for the player; default: the built-in corpus");
  return writerOptions(computeOptions(saeOptions(command))).action(async (given: NewFlags, self: Command) => {
    const { random, budgetTokens, budgetSeconds, ...flags } = given;
    if ((flags.recipe === undefined) === !random)
      throw new InputError("give either --recipe FILE or --random, and not both");
    if (random !== true) noteUnusedSeed(io, self, "a game of a recipe draws its own");
    const seeded = random === true && self.getOptionValueSource("seed") === "cli";
    const asked: NewGameFlags = {
      ...flags,
      out: required(flags.out, "--out", "the game's folder"),
      budget: { tokens: budgetTokens, seconds: budgetSeconds },
      ...(seeded ? { randomSeed: flags.seed } : {}),
    };
    await newGame(io, asked, (game) =>
      io.result(
        flags.json,
        () => newGameJson(game),
        () => newGameText(game),
      ),
    );
  });
}

function playCommand(io: Io): Command {
  const command = new Command("play")
    .description("audit the game's organism within its budget; the same command goes on after an interruption")
    .argument("<game>", "the game's folder")
    .option("--model <model>", MODEL_HELP)
    .option("--methods <names>", "methods to look with, separated by commas; default: all")
    .option("--out <folder>", "run folder; default: play in the game's folder", outputPath);
  return computeOptions(saeOptions(command)).action(async (folder: string, flags: PlayFlags, self: Command) => {
    const { played, audit } = await playGame(io, folder, flags, self);
    io.result(
      flags.json,
      () => ({ ...audit, ...played }),
      () => (audit ? `${auditText(audit)}\n\n${playText(played)}` : playText(played)),
    );
  });
}

function guessCommand(io: Io): Command {
  const command = new Command("guess")
    .description("fix the answer: the play's, or one of your own")
    .argument("<game>", "the game's folder")
    .option("--part <latents>", "latents of one part, 12,99; !7 must be absent; give it once a part", collect)
    .option("--any", "one part is enough; default: all must hold")
    .option("--none", "there is no trigger")
    .option("--replace", "take an earlier guess back; not after the reveal");
  return jsonOption(command).action(async (folder: string, flags: GuessFlags & OutputFlags) => {
    const guess = await recordGuess(folder, flags);
    io.result(
      flags.json,
      () => ({ game: folder, ...guess }),
      () => guessText(guess),
    );
  });
}

function revealCommand(io: Io): Command {
  const command = new Command("reveal")
    .description("open the seal and score the guess on sealed prompts")
    .argument("<game>", "the game's folder")
    .option("--key <key>", "the key that `game new` showed")
    .option("--key-file <file>", "the file that it is in")
    .option("--model <model>", MODEL_HELP);
  return computeOptions(saeOptions(command)).action(async (folder: string, flags: RevealFlags, self: Command) => {
    const reveal = await revealGame(io, folder, flags, self);
    io.result(
      flags.json,
      () => reveal,
      () => revealText(reveal),
    );
  });
}
