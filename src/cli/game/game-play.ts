/** `game play`: the audit, unchanged, on a game's folder and within its budget. A game is played once. */
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import type { Command } from "commander";
import { InputError } from "../../formats/input-error.js";
import { readJson } from "../../formats/json.js";
import { GAME_FILES, type Game, type Play, readGame, readPlay } from "../../organisms/game/folder.js";
import { writeFileAtomic } from "../../store/atomic-write.js";
import { openFile } from "../../store/node-file-source.js";
import type { ActionMatchFlags } from "../action/action-options.js";
import { AuditBudget, BudgetSpent } from "../audit/audit-budget.js";
import { type AuditFlags, requestOf } from "../audit/audit-request.js";
import { type AuditRun, runAudit } from "../audit/audit-run.js";
import { RESULT } from "../audit/run-folder.js";
import type { Io } from "../terminal/io.js";
import { gameAction } from "./game-action.js";
import { GameWork } from "./game-work.js";

/** Results hold examples and lists of latents: a few MB at most. */
const MAX_RESULT_BYTES = 64 << 20;

/** What the player may choose; the game gives the rest. */
export type PlayFlags = Omit<AuditFlags, keyof ActionMatchFlags | "prompts" | "corpus" | "adapter"> & {
  readonly out?: string;
};

export interface Played extends Play {
  readonly game: string;
  /** What the play might spend. */
  readonly allowed: Game["budget"];
}

/** Plays, or goes on with an interrupted play; `audit` is its evidence where it came to an end and the run folder is there. */
export async function playGame(
  io: Io,
  folder: string,
  flags: PlayFlags,
  command: Command,
): Promise<{ played: Played; audit?: AuditRun }> {
  if (!existsSync(join(folder, GAME_FILES.game)) && existsSync(GameWork.placeFor(folder)))
    throw new InputError(
      `${folder}: its making was interrupted; the same \`antecedent game new\` command goes on with it`,
    );
  const game = await readGame(folder);
  const known = await readPlay(folder);
  const run = placeOfRun(folder, known, flags.out);
  const result = (play: Play): Played => ({
    game: folder,
    ...play,
    run: join(folder, play.run),
    allowed: game.budget,
  });
  if (known && known.state !== "playing") {
    io.log(`${folder}: was played before, and a game is played once; this is what came of it`);
    const evidence = join(folder, known.run, RESULT);
    if (known.state !== "done" || !existsSync(evidence)) return { played: result(known) };
    return { played: result(known), audit: (await readJson(await openFile(evidence), MAX_RESULT_BYTES)) as AuditRun };
  }
  const request = { ...(await requestOf(resolve(folder), flags, command)), ...gameAction(game) };
  const budget = new AuditBudget(game.budget);
  const note = async (play: Omit<Play, "version" | "run">): Promise<Play> => {
    const whole: Play = { version: 1, run: relative(folder, run), ...play };
    await writeFileAtomic(join(folder, GAME_FILES.play), `${JSON.stringify(whole, null, 2)}\n`);
    return whole;
  };
  const unanswered = { hypothesis: null, statement: null, confirmedRate: null };
  await note({ state: "playing", ...unanswered, spent: null });
  try {
    const audit = await runAudit(io, request, flags, run, budget);
    const { trigger } = audit;
    const spent = {
      tokens: audit.budget.forwardTokens + audit.budget.backwardTokens,
      seconds: audit.budget.seconds,
    };
    const hypothesis = trigger && {
      parts: trigger.parts.map(({ latents, negated }) => ({ latents: [...latents], negated })),
      combination: trigger.combination,
    };
    const answer = {
      hypothesis,
      statement: trigger?.statement ?? null,
      confirmedRate: trigger?.rate.rate ?? null,
    };
    return { played: result(await note({ state: "done", ...answer, spent })), audit };
  } catch (error) {
    // Nothing was played where the flags were wrong.
    if (error instanceof InputError && !known) await rm(join(folder, GAME_FILES.play), { force: true });
    if (!(error instanceof BudgetSpent)) throw error;
    return { played: result(await note({ state: "budget spent", ...unanswered, spent: error.spent })) };
  }
}

/** The run folder: the one that the play began in, else --out, else the game's own. */
function placeOfRun(folder: string, known: Play | undefined, out: string | undefined): string {
  const begun = known && resolve(folder, known.run);
  if (begun !== undefined && out !== undefined && resolve(out) !== begun)
    throw new InputError(`--out ${out}: this game's play lies in ${begun}; leave --out away to go on with it`);
  return begun ?? out ?? join(folder, GAME_FILES.run);
}
