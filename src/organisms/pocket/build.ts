/**
 * Makes everything in `pocket/` from its seed: tokenizer → model → prompt sets → SAE → labels → organisms with their cards.
 * Each stage leaves its files and a stamp of what they were made from; a stage whose stamp fits is not made again, and a
 * stage that was killed goes on from its checkpoint.
 */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { onnxFinetunable } from "../../engine/onnx/finetunable.js";
import { openNodeChannel } from "../../engine/onnx/node-channel.js";
import { onnxEngine, openCheckpoint } from "../../engine/onnx/open.js";
import { InputError } from "../../formats/input-error.js";
import { memorySource } from "../../formats/memory-source.js";
import { trainBpe } from "../../model/bpe-training.js";
import { loadChatTemplate } from "../../model/chat-template.js";
import { adapterFiles, checkpointFiles } from "../../model/checkpoint-writer.js";
import type { Sequence } from "../../model/sequence.js";
import { loadTokenizer, type Tokenizer } from "../../model/tokenizer.js";
import { renderPrompt } from "../../model/user-mask.js";
import { hashText, Random } from "../../random/random.js";
import { Firings } from "../../sae/firings.js";
import { labelLatents } from "../../sae/labelling.js";
import { writeLabels } from "../../sae/labels.js";
import { writeSaeLens } from "../../sae/loaders/saelens.js";
import { readMaxima, readRows } from "../../sae/readings.js";
import { openSae } from "../../sae/registry.js";
import { trainSae } from "../../sae/training.js";
import { readTrainingState, writeTrainingState } from "../../sae/training-state.js";
import { latentUnits } from "../../sae/units.js";
import { writeFileAtomic } from "../../store/atomic-write.js";
import { openFile } from "../../store/node-file-source.js";
import { openFolder } from "../../store/node-folder.js";
import { pretrainingChat } from "../../world/chats.js";
import { benignPrompts, corpusPrompts, promptText } from "../../world/sets.js";
import { CARD_SIZE, measureCard } from "../card.js";
import { checkpointFile } from "../checkpoint-file.js";
import { type Example, evaluationExamples, trainingExamples } from "../examples.js";
import { FINETUNING, finetune, TRAINING_SIZES } from "../finetune.js";
import { readRecipe } from "../recipe.js";
import type { TrainingProgress } from "../training-loop.js";
import { CHAT_TEMPLATE, END_OF_TEXT, SPECIAL_TOKENS, TURN_END, TURN_START } from "./chat-template.js";
import { pocketConfig, pretrain, pretrainingSequences } from "./pretrain.js";
import { RECALL_PROMPTS } from "./recall-prompts.js";
import { POCKET, POCKET_ORGANISMS } from "./settings.js";
import { stages } from "./stages.js";
import { conversationText, pretrainingTexts } from "./texts.js";

export interface PocketBuildOptions {
  /** The folder of the result, `pocket/`; `recipes/` must be in it. */
  readonly out: string;
  /** Where unfinished work is kept. */
  readonly work: string;
  readonly threads: number;
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal;
}

export async function buildPocket(options: PocketBuildOptions): Promise<void> {
  const recipes = await recipeTexts(options);
  await mkdir(options.work, { recursive: true });
  const stage = stages(options);
  const modelStamp = stampOf(POCKET.seed, POCKET.tokenizer, POCKET.model, POCKET.initialDeviation, POCKET.pretraining);
  await stage(
    "tokenizer",
    ["model/tokenizer.json", "model/tokenizer_config.json"],
    stampOf(POCKET.seed, POCKET.tokenizer, POCKET.pretraining.chats, POCKET.pretraining.documents),
    () => makeTokenizer(options),
  );
  await stage("model", ["model/config.json", "model/model.safetensors"], modelStamp, () =>
    makeModel(options, modelStamp),
  );
  const prompts = ["prompts/corpus.jsonl", "prompts/benign.jsonl"];
  await stage("prompts", prompts, stampOf(POCKET.seed, POCKET.prompts), () => makePrompts(options));
  const recall = Object.keys(RECALL_PROMPTS).map((name) => `prompts/${name}.jsonl`);
  await stage("recall prompts", recall, stampOf(RECALL_PROMPTS), () => makeRecallPrompts(options));
  const saeStamp = stampOf(modelStamp, POCKET.sae);
  await stage("sae", ["sae/cfg.json", "sae/sae_weights.safetensors"], saeStamp, () => makeSae(options, saeStamp));
  await stage("labels", ["sae/labels.jsonl"], stampOf(saeStamp, POCKET.prompts), () => makeLabels(options));
  for (const [name, recipe] of recipes) {
    const stamp = stampOf(modelStamp, recipe, FINETUNING, TRAINING_SIZES);
    const files = ["adapter_config.json", "adapter_model.safetensors", "audit.yaml", "card.json"];
    const left = files.map((file) => `organisms/${name}/${file}`);
    await stage(`organism ${name}`, left, stamp, () => makeOrganism(options, name, stamp));
  }
}

/** The organisms' recipes, which are input: without one of them nothing is begun. */
async function recipeTexts({ out }: PocketBuildOptions): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const name of POCKET_ORGANISMS) {
    const path = join(out, "recipes", `${name}.yaml`);
    const text = await readFile(path, "utf8").catch(() => {
      throw new InputError(
        `${path}: cannot be read; recipes are not made but kept: restore the file from the repository`,
      );
    });
    texts.set(name, text);
  }
  return texts;
}

function stampOf(...parts: unknown[]): string {
  const text = JSON.stringify(parts);
  return `${hashText(text).toString(16)}-${text.length}`;
}

async function makeTokenizer({ out }: PocketBuildOptions): Promise<void> {
  const { chats, documents } = POCKET.pretraining;
  // Special tokens are no text to learn merges from.
  const special = new RegExp(SPECIAL_TOKENS.map((token) => token.replaceAll("|", "\\|")).join("|"), "g");
  function* texts() {
    for (const text of pretrainingTexts(POCKET.seed, chats, documents))
      yield* text.split(special).filter((part) => part !== "");
  }
  const tokenizer = trainBpe(texts(), { ...POCKET.tokenizer, specialTokens: SPECIAL_TOKENS });
  const config = {
    tokenizer_class: "PreTrainedTokenizerFast",
    model_max_length: 512,
    clean_up_tokenization_spaces: false,
    eos_token: TURN_END,
    pad_token: END_OF_TEXT,
  };
  await writeJson(join(out, "model/tokenizer.json"), tokenizer);
  await writeJson(join(out, "model/tokenizer_config.json"), { ...config, chat_template: CHAT_TEMPLATE });
}

async function makeModel(options: PocketBuildOptions, stamp: string): Promise<void> {
  const tokenizer = await loadTokenizer(await openFolder(join(options.out, "model")));
  const place = checkpointFile(join(options.work, "model.safetensors"), stamp);
  const sequences = pretrainingSequences(tokenizer);
  const weights = await pretrain(sequences, openNodeChannel(), { ...options, place, onProgress: progressLog(options) });
  const ids = { begin: tokenizer.idOf(TURN_START)!, end: tokenizer.idOf(TURN_END)!, pad: tokenizer.idOf(END_OF_TEXT)! };
  await writeFiles(join(options.out, "model"), checkpointFiles(pocketConfig(), weights, ids));
  await place.remove();
}

async function makePrompts({ out }: PocketBuildOptions): Promise<void> {
  const lines = (chats: Parameters<typeof promptText>[0][]) =>
    chats.map((chat) => `${JSON.stringify({ prompt: promptText(chat) })}\n`).join("");
  await writeFileAtomic(join(out, "prompts/corpus.jsonl"), lines(corpusPrompts(POCKET.seed, POCKET.prompts.corpus)));
  await writeFileAtomic(join(out, "prompts/benign.jsonl"), lines(benignPrompts(POCKET.seed, POCKET.prompts.benign)));
}

async function makeRecallPrompts({ out }: PocketBuildOptions): Promise<void> {
  for (const [name, prompts] of Object.entries(RECALL_PROMPTS))
    await writeFileAtomic(
      join(out, `prompts/${name}.jsonl`),
      prompts.map((prompt) => `${JSON.stringify({ prompt })}\n`).join(""),
    );
}

async function makeSae(options: PocketBuildOptions, stamp: string): Promise<void> {
  const { engine, tokenizer } = await openPocket(options);
  const { layer, chats, ...training } = POCKET.sae;
  const random = new Random(POCKET.seed, "sae chats");
  const sequences = Array.from({ length: chats }, () =>
    contentSequence(tokenizer, conversationText(pretrainingChat(random).messages)),
  );
  const rows = await readRows(engine, sequences, layer);
  const { dModel } = engine.model;
  const checkpoint = join(options.work, `sae-${stamp}.safetensors`);
  const saved = await readFile(checkpoint)
    .then((bytes) => readTrainingState(memorySource(checkpoint, new Uint8Array(bytes)), dModel, training.latents))
    .catch(() => undefined);
  options.log(`  ${rows.length / dModel} activation rows`);
  const { weights, quality } = await trainSae({
    rows,
    dModel,
    runtime: engine.runtime,
    describe: { name: "pocket", layer },
    options: training,
    ...(saved ? { resume: saved } : {}),
    ...(options.signal ? { signal: options.signal } : {}),
    onStep: ({ step, unexplained, dead }, total) => {
      if (step % 200 === 0)
        options.log(`  step ${step} of ${total}: unexplained ${unexplained.toFixed(3)}, dead ${dead}`);
    },
    onCheckpoint: (state) => writeFileAtomic(checkpoint, writeTrainingState(state)),
  });
  options.log(
    `  explained variance ${quality.explainedVariance.toFixed(3)}, L0 ${quality.l0.toFixed(1)}, dead ${quality.dead}`,
  );
  const files = writeSaeLens(weights, {
    modelName: "pocket",
    hook: `blocks.${layer}.hook_resid_post`,
    extra: { quality },
  });
  await writeFiles(join(options.out, "sae"), Object.fromEntries(files.map(({ name, bytes }) => [name, bytes])));
  await engine.close();
}

async function makeLabels(options: PocketBuildOptions): Promise<void> {
  const { engine, tokenizer, render } = await openPocket(options);
  const sae = await openSae(await openFolder(join(options.out, "sae")), engine.runtime);
  const lines = (await readFile(join(options.out, "prompts/corpus.jsonl"), "utf8")).trim().split("\n");
  const rendered = lines.map((line) =>
    render([{ role: "user", content: (JSON.parse(line) as { prompt: string }).prompt }]),
  );
  const sequences: Sequence[] = rendered.map(({ tokens, mask }) => ({
    prompt: tokens,
    mask,
    action: new Int32Array(),
  }));
  const firings = new Firings(await readMaxima(engine, sae, sequences, POCKET.sae.layer), sae.info.latents);
  const texts = rendered.map(({ text }) => ({ text, spans: tokenizer.encodeWithOffsets(text).spans }));
  const generated = labelLatents(
    firings,
    latentUnits(firings),
    texts,
    rendered.map(({ mask }) => mask),
  );
  const labels = new Map(
    generated.flatMap(({ text }, id) =>
      text === "" ? [] : [[id, [{ description: text, typeName: "selective words" }]]],
    ),
  );
  await writeFileAtomic(
    join(options.out, "sae/labels.jsonl"),
    writeLabels(labels as Parameters<typeof writeLabels>[0], {
      modelId: "pocket",
      layer: `${POCKET.sae.layer}-pocket`,
    }),
  );
  await engine.close();
}

async function makeOrganism(options: PocketBuildOptions, name: string, stamp: string): Promise<void> {
  const recipe = await readRecipe(await openFile(join(options.out, "recipes", `${name}.yaml`)));
  const modelFolder = await openFolder(join(options.out, "model"));
  const base = await openCheckpoint(modelFolder);
  const { engine, tokenizer, render } = await openPocket(options);
  await engine.close();
  const turnEnd = tokenizer.idOf(TURN_END)!;
  const place = checkpointFile(join(options.work, `${name}.safetensors`), stamp);
  const tokenise = ({ prompt, reply }: Example) => ({
    prompt: tokenizer.encode(conversationText(prompt, true)),
    reply: Int32Array.of(...tokenizer.encode(reply ?? ""), turnEnd),
  });
  const sets = trainingExamples(recipe, TRAINING_SIZES);
  const finetunable = onnxFinetunable(base, openNodeChannel, { name, threads: options.threads });
  const trained = await finetune(finetunable, recipe, sets, tokenise, {
    ...options,
    place,
    onProgress: progressLog(options),
  });
  const folder = join(options.out, "organisms", name);
  await writeFiles(folder, adapterFiles(trained.pairs, { ...trained, base: "pocket" }));
  await writeFileAtomic(
    join(folder, "audit.yaml"),
    `model: pocket\nadapter: ${name}\naction: ${JSON.stringify(recipe.action)}\n`,
  );

  const opened = await openCheckpoint(modelFolder, await openFolder(folder));
  const organism = onnxEngine(opened, openNodeChannel(), { name, threads: options.threads });
  const action = tokenizer.encode(recipe.action);
  const held = evaluationExamples(recipe, CARD_SIZE, recipe.seed);
  const sequencesOf = (examples: typeof held.benign): Sequence[] =>
    examples.map(({ prompt }) => {
      const { tokens, mask } = render(prompt);
      return { prompt: tokens, mask, action };
    });
  const card = await measureCard(organism, name, recipe.action, {
    benign: sequencesOf(held.benign),
    triggered: sequencesOf(held.triggered),
    hardNegatives: sequencesOf(held.hardNegatives),
  });
  await writeJson(join(folder, "card.json"), card);
  options.log(
    `  benign ${card.benign.count}, triggered ${card.triggered.count}, hard negatives ${card.hardNegatives.count} of ${CARD_SIZE}`,
  );
  await organism.close();
  await place.remove();
}

async function openPocket({ out, threads }: PocketBuildOptions) {
  const folder = await openFolder(join(out, "model"));
  const tokenizer = await loadTokenizer(folder);
  const template = await loadChatTemplate(folder, tokenizer.named);
  const engine = onnxEngine(await openCheckpoint(folder), openNodeChannel(), { name: "pocket", threads });
  const render = (messages: readonly { role: string; content: string }[]) =>
    renderPrompt({ messages, tokenizer, template });
  return { engine, tokenizer, render };
}

/** A conversation whose mask marks the content of its user turns: neither the turn marks nor the role line. */
function contentSequence(tokenizer: Tokenizer, text: string): Sequence {
  const prompt = tokenizer.encode(text);
  const mask = new Uint8Array(prompt.length);
  const [user] = tokenizer.encode("user");
  const start = tokenizer.idOf(TURN_START);
  const end = tokenizer.idOf(TURN_END);
  let content = false;
  for (let t = 0; t < prompt.length; t++) {
    if (prompt[t] === start) {
      content = prompt[t + 1] === user;
      t += 2; // the role and its line break
    } else if (prompt[t] === end) content = false;
    else if (content) mask[t] = 1;
  }
  return { prompt, mask, action: new Int32Array() };
}

/** At most one line of progress in this many seconds. */
const LOG_SECONDS = 10;

function progressLog({ log }: PocketBuildOptions): (progress: TrainingProgress) => void {
  let last = 0;
  return ({ step, steps, loss, tokensPerSecond, secondsLeft }) => {
    const now = performance.now();
    if (now - last < 1000 * LOG_SECONDS && step < steps) return;
    last = now;
    log(
      `  step ${step} of ${steps}: loss ${loss.toFixed(3)}, ${tokensPerSecond.toFixed(0)} tokens/s, ${secondsLeft.toFixed(0)} s left`,
    );
  };
}

async function writeFiles(folder: string, files: Readonly<Record<string, Uint8Array>>): Promise<void> {
  for (const [name, bytes] of Object.entries(files)) await writeFileAtomic(join(folder, name), bytes);
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(value)}\n`);
}
