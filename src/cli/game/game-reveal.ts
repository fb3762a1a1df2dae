/** `game reveal`: opens the seal, compares it with what was published, and scores the guess on the sealed prompts. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { InputError } from "../../formats/input-error.js";
import { canonicalJson } from "../../organisms/game/canonical-json.js";
import { GAME_FILES, type Guess, readGame, readSealed } from "../../organisms/game/folder.js";
import { type Score, type SealedReading, scoreGuess } from "../../organisms/game/score.js";
import { sha256, unseal } from "../../organisms/game/seal.js";
import { parseTruth, SEALED_KINDS, type Truth } from "../../organisms/game/truth.js";
import { readMaxima } from "../../sae/readings.js";
import { writeFileAtomic } from "../../store/atomic-write.js";
import { refuseReading } from "../../store/refused.js";
import { type AuditFlags, requestOf } from "../audit/audit-request.js";
import { fetchNamed } from "../model/hub.js";
import { chooseLayer } from "../model/layer.js";
import { openModel } from "../model/open-model.js";
import { requireSae } from "../model/open-sae.js";
import { type Used, usedSettings } from "../model/used.js";
import { renderAll } from "../prompts/prompts.js";
import type { Io } from "../terminal/io.js";
import { actsAfter } from "./game-action.js";
import { requireGuess } from "./game-guess.js";
import { readKey } from "./game-key.js";

export type RevealFlags = Pick<AuditFlags, "engine" | "device" | "dtype" | "threads" | "seed" | "json"> & {
  readonly model?: string;
  readonly sae?: string;
  readonly layer?: number;
  readonly key?: string;
  readonly keyFile?: string;
};

export interface Reveal {
  readonly truth: Truth;
  readonly guess: Guess;
  readonly score: Score;
  /** With the truth they give the commitment again: SHA-256(salt ‖ canonical JSON of the truth). */
  readonly salt: string;
  readonly commitment: string;
  readonly used: Used;
}

/** Reveals, once. InputError for a wrong key, a missing or changed guess, and a game that is not as it was sealed. */
export async function revealGame(io: Io, folder: string, flags: RevealFlags, command: Command): Promise<Reveal> {
  const game = await readGame(folder);
  const path = join(folder, GAME_FILES.reveal);
  if (existsSync(path)) throw new InputError(`${folder}: was revealed before; ${path} holds the outcome`);
  const guess = await requireGuess(folder);
  const key = await readKey(flags);
  const where = { sealed: join(folder, GAME_FILES.sealed), commitment: join(folder, GAME_FILES.game) };
  const opened = unseal(await readSealed(folder), game.commitment, key, where);
  const truth = parseTruth(opened.truth, where.sealed);
  const { commitment, ...terms } = game;
  if (canonicalJson(terms) !== canonicalJson(truth.game))
    throw new InputError(`${where.commitment}: was changed after the game was sealed; get the game's folder again`);
  await requireUnchanged(folder, truth);
  const { prompts, used } = await readSealedPrompts(io, folder, truth, flags, command);
  const reveal: Reveal = {
    truth,
    guess,
    score: scoreGuess(truth, guess, prompts),
    salt: opened.salt,
    commitment,
    used,
  };
  await writeFileAtomic(path, `${JSON.stringify(reveal, null, 2)}\n`);
  return reveal;
}

/** InputError unless the files that players get are the ones that were sealed: another adapter would be scored else. */
async function requireUnchanged(folder: string, { files }: Truth): Promise<void> {
  for (const [name, digest] of Object.entries(files)) {
    const path = join(folder, name);
    const bytes = await readFile(path).catch((error: unknown) => refuseReading(path, error));
    if (sha256(bytes) !== digest)
      throw new InputError(`${path}: was changed after the game was sealed; get the game's folder again`);
  }
}

/** The sealed prompts as the organism sees and answers them, in the order of their kinds. */
async function readSealedPrompts(
  io: Io,
  folder: string,
  truth: Truth,
  flags: RevealFlags,
  command: Command,
): Promise<{ prompts: SealedReading[]; used: Used }> {
  const request = await requestOf(resolve(folder), flags, command);
  const { model: name, adapter, sae: saeName, layer: given } = request;
  await fetchNamed(io, request);
  const model = await openModel({ ...flags, ...(name === undefined ? {} : { model: name }), adapter: adapter! });
  const { sae, name: opened } = await requireSae(model, saeName, "a reveal");
  const layer = chooseLayer(io, given, sae.info, model.engine.model);
  const sealed = SEALED_KINDS.flatMap((kind) => truth.sealed[kind].map((prompt) => ({ kind, ...prompt })));
  const { sequences, date } = renderAll(
    model,
    sealed.map(({ messages }) => messages),
    { positions: "user" },
  );
  const calls = { signal: io.signal };
  const readings = await readMaxima(model.engine, sae, sequences, layer, calls);
  const fired = await actsAfter(model, truth.recipe, sequences, calls);
  return {
    prompts: sealed.map(({ kind, concepts }, i) => ({
      kind,
      concepts,
      reading: readings[i]!,
      fired: fired[i]!,
    })),
    used: usedSettings(model, { positions: "user", date }, { sae: opened, layer }),
  };
}
