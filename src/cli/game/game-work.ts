/**
 * The making of a game that is not finished yet: a hidden folder beside the game's own, so that nothing of the making can be
 * left in what a player gets. It holds the secrets from the start, so that the same command goes on with the same ones.
 */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, readdir, rename, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { z } from "zod";
import { InputError } from "../../formats/input-error.js";
import { readJson } from "../../formats/json.js";
import { newKey } from "../../organisms/game/seal.js";
import { makeFolders, syncFolder, writeFileAtomic } from "../../store/atomic-write.js";
import { openFile } from "../../store/node-file-source.js";
import { refuseWriting } from "../../store/refused.js";

const STATE_FILE = "making.json";
const MAX_STATE_BYTES = 1 << 20;

const seed = z.int().min(0);
const stateShape = z.strictObject({
  /** Hash of what the command asked for. */
  asked: z.string(),
  key: z.string(),
  /** One for each thing drawn, so that none is found from another. */
  seeds: z.strictObject({ recipe: seed, training: seed, sealed: seed, prompts: seed, withheld: seed }),
  /** Result of the command, once the game stands in `finished`. */
  result: z.unknown().optional(),
});
export type GameSecrets = Pick<z.infer<typeof stateShape>, "key" | "seeds">;

export class GameWork {
  private constructor(
    /** The game's own folder, which does not exist before the game is finished. */
    readonly out: string,
    /** Unfinished work; the owner alone may look into it. */
    readonly path: string,
    private state: z.infer<typeof stateShape>,
    /** Whether this call began it. */
    readonly isNew: boolean,
  ) {}

  /** The hidden folder in which `out` is made. */
  static placeFor(out: string): string {
    return join(dirname(resolve(out)), `.${basename(resolve(out))}.making`);
  }

  /** Begins or goes on with the making of `out`. InputError where something else is there or is being made there. */
  static async open(out: string, asked: string): Promise<GameWork> {
    const path = GameWork.placeFor(out);
    const known = await readState(path);
    if (known && known.asked !== asked)
      throw new InputError(
        `${path}: holds the unfinished making of another game for ${out}; finish it with its own command, delete it, or choose another --out`,
      );
    if (!(known?.result !== undefined && existsSync(out)) && !(await isVacant(out)))
      throw new InputError(`${out}: is there already and not empty; choose another --out`);
    const state = known ?? { asked, key: newKey(), seeds: drawSeeds() };
    const work = new GameWork(out, path, state, known === undefined);
    if (!known) {
      await makeFolders(path).catch((error: unknown) => refuseWriting(out, error));
      await chmod(path, 0o700);
      await work.#write();
    }
    return work;
  }

  get secrets(): GameSecrets {
    return this.state;
  }

  /** Where the game's files are put before they are all there. */
  get finished(): string {
    return join(this.path, "game");
  }

  /** The result of a making that ended after the game was whole and before its key was surely shown. */
  get result(): unknown {
    return this.state.result;
  }

  /** Says that `finished` is whole and what the command is to print. */
  async finish(result: unknown): Promise<void> {
    this.state = { ...this.state, result };
    await this.#write();
  }

  /** Puts the finished folder in its place, in one step. */
  async publish(): Promise<void> {
    if (!existsSync(this.finished)) return; // done before
    if (existsSync(this.out)) await rmdir(this.out);
    await rename(this.finished, this.out);
    await syncFolder(dirname(this.out));
  }

  /** Forgets the secrets. */
  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }

  async #write(): Promise<void> {
    await writeFileAtomic(join(this.path, STATE_FILE), `${JSON.stringify(this.state)}\n`);
  }
}

async function readState(path: string) {
  const file = join(path, STATE_FILE);
  if (!existsSync(file)) return undefined;
  const parsed = stateShape.safeParse(await readJson(await openFile(file), MAX_STATE_BYTES));
  if (!parsed.success) throw new InputError(`${file}: is not what \`game new\` left there; delete ${path}`);
  return parsed.data;
}

async function isVacant(folder: string): Promise<boolean> {
  if (!existsSync(folder)) return true;
  return (await readdir(folder).catch(() => ["a file"])).length === 0;
}

/** Five seeds of 53 random bits. */
function drawSeeds(): GameSecrets["seeds"] {
  const draw = () => Number(randomBytes(8).readBigUInt64LE() >> 11n);
  return { recipe: draw(), training: draw(), sealed: draw(), prompts: draw(), withheld: draw() };
}
