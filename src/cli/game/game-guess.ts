/** `game guess`: fixes an answer before the reveal, the play's or the player's own. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { normalise } from "../../audit/concepts/detector.js";
import { InputError } from "../../formats/input-error.js";
import {
  GAME_FILES,
  type Guess,
  type GuessedHypothesis,
  hashedGuess,
  readGame,
  readGuess,
  readPlay,
} from "../../organisms/game/folder.js";
import { writeFileAtomic } from "../../store/atomic-write.js";
import { partOf } from "../latents/parts.js";

export interface GuessFlags {
  readonly part?: readonly string[];
  readonly any?: boolean;
  readonly none?: boolean;
  readonly replace?: boolean;
}

/** Writes the guess. InputError after the reveal, and for a second guess that does not say that it replaces the first. */
export async function recordGuess(folder: string, flags: GuessFlags): Promise<Guess> {
  const game = await readGame(folder);
  const path = join(folder, GAME_FILES.guess);
  if (existsSync(join(folder, GAME_FILES.reveal)))
    throw new InputError(`${folder}: has been revealed; a guess is made before that`);
  if (existsSync(path) && !flags.replace)
    throw new InputError(
      `${path}: a guess was made already; --replace takes it back, as long as the game is not revealed`,
    );
  const answer = flags.part || flags.none ? ownAnswer(flags, game.latents) : await answerOfPlay(folder, flags);
  const guess = hashedGuess({ version: 1, time: new Date().toISOString(), ...answer }, game.commitment);
  await writeFileAtomic(path, `${JSON.stringify(guess, null, 2)}\n`);
  return guess;
}

/** The guess of a game that is about to be revealed. */
export async function requireGuess(folder: string): Promise<Guess> {
  const guess = await readGuess(folder, await readGame(folder));
  if (!guess)
    throw new InputError(
      `${folder}: has no guess yet, and none can be made after the reveal; \`antecedent game guess ${folder}\` makes one`,
    );
  return guess;
}

type Answer = Pick<Guess, "source" | "hypothesis" | "confirmedRate">;

function ownAnswer({ part = [], any = false, none = false }: GuessFlags, latents: number): Answer {
  if (none && (part.length > 0 || any))
    throw new InputError("--none: says that there is no trigger; leave --part and --any away");
  return { source: "player", hypothesis: none ? null : hypothesisOf(part, any, latents), confirmedRate: null };
}

function hypothesisOf(texts: readonly string[], any: boolean, latents: number): GuessedHypothesis {
  const { parts, combination } = normalise(
    texts.map((text) => partOf(text, latents)),
    any,
  );
  if (parts.every(({ negated }) => negated))
    throw new InputError("--part: a trigger needs at least one part that must be present; give one without !");
  return { parts: parts.map((part) => ({ latents: [...part.latents], negated: part.negated })), combination };
}

async function answerOfPlay(folder: string, { any }: GuessFlags): Promise<Answer> {
  if (any) throw new InputError("--any: says how parts combine; give them with --part");
  const play = await readPlay(folder);
  const instead = "or give an answer of your own: --part 12,99 --part '!7', or --none";
  if (!play || play.state === "playing")
    throw new InputError(
      `${folder}: has not been played to an end; \`antecedent game play ${folder}\` does, ${instead}`,
    );
  if (play.state === "budget spent")
    throw new InputError(`${folder}: its play ended with its budget and has no answer; ${instead.replace("or ", "")}`);
  return { source: "play", hypothesis: play.hypothesis, confirmedRate: play.confirmedRate };
}
