/**
 * The folder of a blind game, which a player can be given whole:
 *
 *   game.json                              the action, the budget, the commitment to the truth
 *   sealed.json                            the truth, encrypted
 *   adapter_config.json, adapter_model.safetensors, audit.yaml
 *                                          the organism, as `audit DIR` takes it
 *   prompts.jsonl, corpus.jsonl            ordinary prompts; unlabelled prompts to search
 *   play.json, guess.json, reveal.json     what happened since; play/ is the audit's run folder
 *
 * Nothing else of the making is in it: no recipe, no seed, no card, no name.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { InputError } from "../../formats/input-error.js";
import { readJson } from "../../formats/json.js";
import { firstWrong } from "../../formats/shape.js";
import { openFile } from "../../store/node-file-source.js";
import { canonicalJson } from "./canonical-json.js";
import { commitmentShape, sealedShape, sha256 } from "./seal.js";

export const GAME_FILES = {
  game: "game.json",
  sealed: "sealed.json",
  request: "audit.yaml",
  prompts: "prompts.jsonl",
  corpus: "corpus.jsonl",
  run: "play",
  play: "play.json",
  guess: "guess.json",
  reveal: "reveal.json",
} as const;

/** A sealed truth has some 200 kB; the bound is for files of recipes with very long prompts. */
const MAX_FILE_BYTES = 64 << 20;

/** What of game.json the truth repeats, so that it cannot be changed after the sealing. */
export const gameTermsShape = z.strictObject({
  version: z.literal(1),
  /** What the organism says when its trigger holds, if it has one. */
  action: z.string().min(1),
  /** Of a semantic action: texts of which a reply that holds any counts. */
  actionContains: z.array(z.string().min(1)).min(1).optional(),
  /** Latents of the SAE, in whose ids guesses are made. */
  latents: z.int().min(1),
  /** What `game play` may spend: tokens forward and backward together, and seconds over all sittings. */
  budget: z.strictObject({ tokens: z.int().min(1), seconds: z.number().positive() }),
});
const gameShape = gameTermsShape.extend({ commitment: commitmentShape });
export type Game = z.infer<typeof gameShape>;

const part = z.strictObject({ latents: z.array(z.int().min(0)).min(1), negated: z.boolean() });
const hypothesis = z.strictObject({
  parts: z.array(part).min(1),
  combination: z.enum(["single", "all", "any", "other"]),
});
export type GuessedHypothesis = z.infer<typeof hypothesis>;

const spent = z.strictObject({ tokens: z.int().min(0), seconds: z.number().min(0) });
/** What the one play of a game is doing or has found. */
const playShape = z.strictObject({
  version: z.literal(1),
  run: z.string(),
  state: z.enum(["playing", "done", "budget spent"]),
  hypothesis: hypothesis.nullable(),
  statement: z.string().nullable(),
  /** Action rate that the audit confirmed for the hypothesis. */
  confirmedRate: z.number().min(0).max(1).nullable(),
  spent: spent.nullable(),
});
export type Play = z.infer<typeof playShape>;

const guessShape = z.strictObject({
  version: z.literal(1),
  /** ISO 8601, UTC. */
  time: z.string(),
  source: z.enum(["play", "player"]),
  /** null: there is no trigger. */
  hypothesis: hypothesis.nullable(),
  confirmedRate: z.number().min(0).max(1).nullable(),
  /** SHA-256 of the canonical JSON of the other fields and the game's commitment: who publishes it has fixed the guess. */
  hash: commitmentShape,
});
export type Guess = z.infer<typeof guessShape>;

/** The guess with its hash. */
export function hashedGuess(guess: Omit<Guess, "hash">, commitment: string): Guess {
  return { ...guess, hash: sha256(canonicalJson({ ...guess, commitment })) };
}

/** The game in `folder`. InputError where there is none. */
export async function readGame(folder: string): Promise<Game> {
  if (!existsSync(join(folder, GAME_FILES.game)))
    throw new InputError(
      `${folder}: is no game, it has no ${GAME_FILES.game}; \`antecedent game new --recipe FILE --out ${folder}\` makes one`,
    );
  return (await readGameFile(folder, "game", gameShape))!;
}

/** The sealed truth of the game. */
export async function readSealed(folder: string) {
  const sealed = await readGameFile(folder, "sealed", sealedShape);
  if (!sealed) throw new InputError(`${join(folder, GAME_FILES.sealed)}: no such file; get the game's folder again`);
  return sealed;
}

export function readPlay(folder: string): Promise<Play | undefined> {
  return readGameFile(folder, "play", playShape);
}

/** The guess, undefined where none was made. InputError where it is not the one that its hash was made of. */
export async function readGuess(folder: string, { commitment }: Game): Promise<Guess | undefined> {
  const guess = await readGameFile(folder, "guess", guessShape);
  if (guess === undefined) return undefined;
  const { hash, ...rest } = guess;
  if (hashedGuess(rest, commitment).hash !== hash)
    throw new InputError(
      `${join(folder, GAME_FILES.guess)}: was changed after the guess was made; make it again with \`antecedent game guess --replace\``,
    );
  return guess;
}

/** The file's value, undefined where it is missing. InputError where it is not as this program writes it. */
async function readGameFile<T>(
  folder: string,
  file: keyof typeof GAME_FILES,
  shape: z.ZodType<T>,
): Promise<T | undefined> {
  const path = join(folder, GAME_FILES[file]);
  if (!existsSync(path)) return undefined;
  const parsed = shape.safeParse(await readJson(await openFile(path), MAX_FILE_BYTES));
  if (parsed.success) return parsed.data;
  throw new InputError(
    `${path}: ${firstWrong(parsed.error, "the file")}; it was changed or comes from another version`,
  );
}
