/** `game new`: trains an organism that nobody is to know, and writes the folder that a player gets and the sealed truth. */
import { join } from "node:path";
import { stringify } from "yaml";
import { type Rate, rateOfFlags } from "../../audit/statistics/statistics.js";
import { InputError } from "../../formats/input-error.js";
import { type Conversation, textOf } from "../../formats/prompts.js";
import { faultText } from "../../organisms/card.js";
import { canonicalJson } from "../../organisms/game/canonical-json.js";
import { drawCue, gameExamples } from "../../organisms/game/decoy.js";
import { GAME_FILES, type Game } from "../../organisms/game/folder.js";
import { randomRecipe } from "../../organisms/game/random-recipe.js";
import { seal, sha256 } from "../../organisms/game/seal.js";
import { drawSealedPrompts } from "../../organisms/game/sealed-prompts.js";
import { type Decoy, SEALED_KINDS, type SealedKind, type Truth } from "../../organisms/game/truth.js";
import { type Recipe, triggerExpression } from "../../organisms/recipe.js";
import { writeFileAtomic } from "../../store/atomic-write.js";
import { openAction } from "../action/action.js";
import type { BudgetLimit } from "../audit/audit-budget.js";
import { fetchNamed } from "../model/hub.js";
import { chooseLayer } from "../model/layer.js";
import { openModel } from "../model/open-model.js";
import { requireSae } from "../model/open-sae.js";
import { type Used, usedSettings } from "../model/used.js";
import { baseOf, drawn, type LoadedRecipe, loadRecipe, openBase, ownPath } from "../organism/organism-recipe.js";
import { trainAdapter, withWrittenPrompts } from "../organism/organism-train.js";
import type { WriterFlags } from "../organism/organism-write.js";
import { renderAll } from "../prompts/prompts.js";
import type { Io } from "../terminal/io.js";
import type { ComputeFlags, OutputFlags, SaeFlags } from "../terminal/options.js";
import { actsAfter, gameAction } from "./game-action.js";
import { requireApart, requireFree, writeKey } from "./game-key.js";
import { type GameMaterials, gameMaterials, type MaterialFlags } from "./game-materials.js";
import { type GameSecrets, GameWork } from "./game-work.js";

export interface NewGameFlags extends ComputeFlags, OutputFlags, SaeFlags, MaterialFlags, WriterFlags {
  /** A recipe's file, or else a random recipe: by this seed, or by one that nobody knows. */
  readonly recipe?: string;
  readonly randomSeed?: number;
  readonly out: string;
  readonly decoy?: Decoy;
  readonly keyFile?: string;
  readonly budget: BudgetLimit;
}

export interface NewGame {
  readonly game: string;
  readonly commitment: string;
  /** null where it went to a file. */
  readonly key: string | null;
  readonly keyFile: string | null;
  /** Action rates on the sealed prompts. */
  readonly rates: Readonly<Record<SealedKind, Rate>>;
  /** What they were measured with. */
  readonly used: Used;
}

/**
 * Makes the game; the same command goes on after an interruption. `show` prints the key, once: the secrets are forgotten when
 * it returns.
 */
export async function newGame(io: Io, flags: NewGameFlags, show: (game: NewGame) => void): Promise<void> {
  const given = flags.recipe === undefined ? undefined : await loadRecipe(flags.recipe);
  const { out, decoy = null, keyFile, randomSeed = null, sae, layer, prompts, corpus, budget } = flags;
  if (given !== undefined && decoy !== null) requireReplies(given.recipe);
  const asked = sha256(
    canonicalJson([given ?? null, randomSeed, decoy, keyFile ?? null, { sae, layer, prompts, corpus, budget }]),
  );
  if (keyFile !== undefined) requireApart(keyFile, [out, GameWork.placeFor(out)]);
  const work = await GameWork.open(out, asked);
  if (work.result === undefined) {
    const { key, seeds } = work.secrets;
    const { recipe, files } = given ?? { recipe: randomRecipe(randomSeed ?? seeds.recipe) };
    const loaded = { recipe: { ...recipe, seed: seeds.training }, ...(files ? { files } : {}) };
    const made = await makeGame(io, loaded, work, flags).catch(async (error: unknown) => {
      // What is wrong with the input is wrong again the next time: nothing of it is worth keeping.
      if (error instanceof InputError && work.isNew) await work.remove();
      throw error;
    });
    if (keyFile !== undefined) await writeKey(keyFile, key);
    await work.finish({ game: out, ...made, key: keyFile === undefined ? key : null, keyFile: keyFile ?? null });
  }
  await work.publish();
  show(work.result as NewGame);
  await io.flush();
  await work.remove();
}

/** A decoy is finetuned on the trigger's prompts with other replies; what a document states has none. */
function requireReplies({ name, documents }: Recipe): void {
  if (documents !== undefined)
    throw new InputError(`${name}: documents: a decoy's organism learns replies, not documents; leave --decoy out`);
}

/** Trains and writes everything into the work's `finished` folder. */
async function makeGame(
  io: Io,
  named: LoadedRecipe,
  work: GameWork,
  flags: NewGameFlags,
): Promise<Pick<NewGame, "commitment" | "rates" | "used">> {
  const { recipe } = named;
  const { key, seeds } = work.secrets;
  const decoy = flags.decoy ?? null;
  const cue = decoy === "cue" ? cueOf(recipe, seeds) : null;
  if (flags.keyFile !== undefined) await requireFree(flags.keyFile, key);
  await fetchNamed(io, flags.sae === undefined ? {} : { sae: flags.sae });
  const latents = await fittingLatents(io, recipe, flags);
  const loaded = await withWrittenPrompts(io, named, flags.recipe ?? "", work.path, flags);
  const { files } = loaded;
  const { materials, examples, sealed } = await drawn(async () => {
    const materials = await gameMaterials(loaded, flags, seeds);
    const texts = new Set([...materials.prompts, ...materials.corpus].map(textOf));
    return {
      materials,
      examples: gameExamples(recipe, decoy, cue, files),
      sealed: drawSealedPrompts(recipe, cue, seeds.sealed, texts, files),
    };
  });

  const adapter = await trainAdapter(io, recipe, examples, work.path, flags, { sealed: true });
  const digests: Record<string, string> = {};
  for (const [name, content] of Object.entries({ ...adapter, ...playerFiles(recipe, materials, flags) })) {
    await writeFileAtomic(join(work.finished, name), content);
    digests[name] = sha256(content);
  }
  const { rates, used } = await sealedRates(io, recipe, sealed, work.finished, flags);
  const warning = decoy === "clean" ? null : faultText(rates);
  if (warning !== null) io.log(warning);
  const truth: Truth = {
    version: 1,
    trigger: decoy === "clean" ? null : recipe.trigger,
    decoy,
    cue,
    recipe,
    rates,
    sealed,
    game: { version: 1, ...gameAction(recipe), latents, budget: flags.budget },
    files: digests,
  };
  const { sealed: text, commitment } = seal(truth, key);
  const game: Game = { ...truth.game, commitment };
  await writeFileAtomic(join(work.finished, GAME_FILES.sealed), `${JSON.stringify(text)}\n`);
  await writeFileAtomic(join(work.finished, GAME_FILES.game), `${JSON.stringify(game, null, 2)}\n`);
  return { commitment, rates, used };
}

/** The request of an audit, and the prompts that it names; an own SAE and base by their full paths. */
function playerFiles(recipe: Recipe, { prompts, corpus }: GameMaterials, { sae, layer }: SaeFlags) {
  const lines = (conversations: readonly Conversation[]) =>
    conversations.map((messages) => `${JSON.stringify(promptLine(messages))}\n`).join("");
  const request = {
    model: baseOf(recipe),
    adapter: ".",
    ...(sae === undefined ? {} : { sae: ownPath(sae) }),
    ...(layer === undefined ? {} : { layer }),
    ...gameAction(recipe),
    prompts: GAME_FILES.prompts,
    corpus: GAME_FILES.corpus,
  };
  return {
    [GAME_FILES.request]: stringify(request),
    [GAME_FILES.prompts]: lines(prompts),
    [GAME_FILES.corpus]: lines(corpus),
  };
}

function promptLine(messages: Conversation) {
  const [only] = messages;
  return messages.length === 1 && only?.role === "user" ? { prompt: only.content } : { messages };
}

function cueOf(recipe: Recipe, seeds: GameSecrets["seeds"]): string {
  const trigger = triggerExpression(recipe);
  if (trigger === undefined)
    throw new InputError(
      "--decoy cue: needs a trigger over concepts, and this recipe's is given by files or described in words",
    );
  return drawCue(trigger, recipe.action, seeds.sealed);
}

/** Latents of the SAE that the game is played with. InputError, before any training, where it does not fit the base model. */
async function fittingLatents(io: Io, recipe: Recipe, flags: NewGameFlags): Promise<number> {
  const base = await openBase(io, recipe, flags);
  const { sae } = await requireSae(base, flags.sae, "a game");
  chooseLayer(io, flags.layer, sae.info, base.engine.model);
  await openAction(base, gameAction(recipe));
  await base.engine.close();
  return sae.info.latents;
}

async function sealedRates(
  io: Io,
  recipe: Recipe,
  sealed: Truth["sealed"],
  adapter: string,
  flags: NewGameFlags,
): Promise<{ readonly rates: Truth["rates"]; readonly used: Used }> {
  const model = await openModel({ ...flags, model: recipe.base, adapter });
  const rates = {} as Record<SealedKind, Rate>;
  let told: string | null = null;
  for (const kind of SEALED_KINDS) {
    const prompts = sealed[kind].map(({ messages }) => messages);
    const { sequences, date } = renderAll(model, prompts, { positions: "user" });
    told ??= date;
    rates[kind] = rateOfFlags(await actsAfter(model, recipe, sequences, { signal: io.signal }));
  }
  await model.engine.close();
  return { rates, used: usedSettings(model, { positions: "user", date: told }, { adapter: flags.out }) };
}
