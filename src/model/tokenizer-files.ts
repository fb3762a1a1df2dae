/** The tokenizer's files, checked: tokenizer.json, tokenizer_config.json, special_tokens_map.json. */
import { z } from "zod";
import type { FileFolder } from "../formats/byte-source.js";
import { entryOf, InputError } from "../formats/input-error.js";
import { readJson } from "../formats/json.js";
import { firstWrong } from "../formats/shape.js";
import type { AddedToken } from "./added-tokens.js";
import type { Component } from "./aligned-text.js";
import { mayNeverEnd } from "./pattern-safety.js";
import { withClassSteps } from "./tokenizer-classes.js";
import { SplitPreTokenizer } from "./tokenizers-library.js";

/** Gemma 3's tokenizer.json, the largest common one, has 33 MB; this leaves room for vocabularies of a million. */
const MAX_TOKENIZER_BYTES = 256 * 1024 * 1024;
/** tokenizer_config.json lists added tokens and may hold templates: Gemma's has 1.2 MB. */
const MAX_CONFIG_BYTES = 32 * 1024 * 1024;
/** Ids come from files; an id beyond any real vocabulary must not make us build huge arrays. */
const MAX_TOKEN_ID = 16 * 1024 * 1024;

const id = z.number().int().nonnegative().max(MAX_TOKEN_ID);
const addedFlags = {
  content: z.string(),
  single_word: z.boolean().default(false),
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
  normalized: z.boolean().optional(),
  special: z.boolean().default(false),
};
/** Steps of one tokenizer, those inside sequences included; real ones have up to ten. */
const MAX_STEPS = 64;
/** What a step writes into the text: "▁", a space. Anything long could only be meant to blow the text up. */
const MAX_STEP_TEXT = 64;
const stepText = z.string().max(MAX_STEP_TEXT);
const pattern = z.union(
  [z.object({ String: z.string() }), z.object({ Regex: z.string() })],
  'must be {"String": …} or {"Regex": …}',
);
const component = z.looseObject({ type: z.string() });
/** Fields without which a step of this type cannot be carried out. */
const stepFields: Readonly<Record<string, z.ZodType>> = {
  Split: z.looseObject({
    pattern,
    behavior: z.enum(["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]),
  }),
  Replace: z.looseObject({ pattern, content: stepText }),
  Prepend: z.looseObject({ prepend: stepText }),
  Metaspace: z.looseObject({ replacement: z.string().min(1).max(MAX_STEP_TEXT).optional() }),
};
/** Where a sequence keeps its steps, by the part of tokenizer.json it stands in. */
const SEQUENCES = {
  normalizer: "normalizers",
  pre_tokenizer: "pretokenizers",
  post_processor: "processors",
  decoder: "decoders",
} as const;

const tokenizerSchema = z.looseObject({
  model: z.looseObject({
    type: z.string().optional(),
    vocab: z.union([z.record(z.string(), id), z.array(z.tuple([z.string(), z.number()]))]),
  }),
  normalizer: component.nullable().default(null),
  pre_tokenizer: component.nullable().default(null),
  post_processor: component.nullable().default(null),
  decoder: component.nullable().default(null),
  added_tokens: z.array(z.object({ id, ...addedFlags })).default([]),
});
const tokenName = z.union([z.string(), z.looseObject(addedFlags)]).nullish();
const configSchema = z.looseObject({
  bos_token: tokenName,
  eos_token: tokenName,
  unk_token: tokenName,
  pad_token: tokenName,
  sep_token: tokenName,
  cls_token: tokenName,
  mask_token: tokenName,
  additional_special_tokens: z.array(tokenName).nullish(),
  extra_special_tokens: z.union([z.array(tokenName), z.record(z.string(), tokenName)]).nullish(),
  added_tokens_decoder: z.record(z.string(), z.object(addedFlags)).nullish(),
  tokenizer_class: z.string().nullish(),
  chat_template: z.unknown().optional(),
  from_gguf: z.boolean().optional(),
});

const modelConfigSchema = z.looseObject({ model_type: z.string().nullish() });

/** Names that templates may use, and that are special even where tokenizer.json does not say so. */
const NAMED = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"] as const;
export type NamedToken = (typeof NAMED)[number];

export type TokenizerJson = z.infer<typeof tokenizerSchema> & {
  readonly normalizer: Component | null;
  readonly pre_tokenizer: Component | null;
  readonly post_processor: Component | null;
  readonly decoder: Component | null;
};

export interface TokenizerFiles {
  /** Path of tokenizer.json for messages. */
  readonly name: string;
  readonly tokenizer: TokenizerJson;
  /** Every added token: of tokenizer.json, then what the other files add. */
  readonly added: readonly AddedToken[];
  /** Texts of bos_token, eos_token …; only those that are set. */
  readonly named: Readonly<Partial<Record<NamedToken, string>>>;
}

/** Reads and checks the files in `folder`. InputError when tokenizer.json is missing or any file is malformed. */
export async function readTokenizerFiles(folder: FileFolder): Promise<TokenizerFiles> {
  if (!(await folder.has("tokenizer.json")))
    throw new InputError(
      `${folder.name}: tokenizer.json is missing; save the tokenizer with a current transformers (save_pretrained) to get one`,
    );
  const source = await folder.open("tokenizer.json");
  let tokenizer = check(tokenizerSchema, await readJson(source, MAX_TOKENIZER_BYTES), source.name) as TokenizerJson;
  checkSteps(tokenizer, source.name);
  const config = await readTokenizerConfig(folder);
  // Tokenizers of GGUF files are taken as they stand: transformers normalises nothing there either.
  if (!config.from_gguf) tokenizer = withClassSteps(tokenizer, config, await modelType(folder));
  const map = await readConfig(folder, "special_tokens_map.json");

  const named: Partial<Record<NamedToken, string>> = {};
  for (const name of NAMED) {
    const text = textOf(config[name] ?? map[name]);
    if (text !== undefined) named[name] = text;
  }
  return { name: source.name, tokenizer, added: addedTokens(tokenizer, config, map, named), named };
}

/** tokenizer_config.json, checked; an empty one where the file is missing. */
export function readTokenizerConfig(folder: FileFolder): Promise<z.infer<typeof configSchema>> {
  return readConfig(folder, "tokenizer_config.json");
}

/** `model_type` of config.json, where there is one beside the tokenizer. */
async function modelType(folder: FileFolder): Promise<string | undefined> {
  if (!(await folder.has("config.json"))) return undefined;
  const source = await folder.open("config.json");
  return check(modelConfigSchema, await readJson(source, MAX_CONFIG_BYTES), source.name).model_type ?? undefined;
}

async function readConfig(folder: FileFolder, file: string): Promise<z.infer<typeof configSchema>> {
  if (!(await folder.has(file))) return {};
  const source = await folder.open(file);
  return check(configSchema, await readJson(source, MAX_CONFIG_BYTES), source.name);
}

/** As transformers does: tokens of `added_tokens_decoder` and named special tokens are added where they are missing. */
function addedTokens(
  tokenizer: TokenizerJson,
  config: z.infer<typeof configSchema>,
  map: z.infer<typeof configSchema>,
  named: Readonly<Partial<Record<NamedToken, string>>>,
): AddedToken[] {
  const { vocab } = tokenizer.model;
  const ids = Array.isArray(vocab)
    ? new Map(vocab.map(([text], index) => [text, index] as const))
    : new Map(Object.entries(vocab));
  const added = new Map<string, AddedToken>();
  let next = 0;
  for (const value of ids.values()) next = Math.max(next, value + 1);
  const add = (token: z.infer<typeof tokenizerSchema>["added_tokens"][number]) => {
    if (added.has(token.content)) return;
    added.set(token.content, { ...token, normalized: token.normalized ?? !token.special });
    next = Math.max(next, token.id + 1);
  };
  for (const token of tokenizer.added_tokens) add(token);
  for (const [key, token] of Object.entries(config.added_tokens_decoder ?? {})) {
    const given = id.safeParse(Number(key));
    if (given.success) add({ ...token, id: given.data });
  }
  const flags = { single_word: false, lstrip: false, rstrip: false, special: true };
  const extra = [config.additional_special_tokens ?? map.additional_special_tokens, config.extra_special_tokens];
  const texts = [...Object.values(named), ...extra.flatMap((list) => Object.values(list ?? {}).map(textOf))];
  for (const content of texts)
    if (content !== undefined && content !== "") add({ ...flags, content, id: ids.get(content) ?? next });
  return [...added.values()];
}

function textOf(token: z.infer<typeof tokenName>): string | undefined {
  return typeof token === "string" ? token : token?.content;
}

/** Checks the steps of every part, inside sequences too; nothing after this has to doubt their form. */
function checkSteps(tokenizer: TokenizerJson, name: string): void {
  for (const part of ["normalizer", "pre_tokenizer", "post_processor", "decoder"] as const) {
    const queue: { step: unknown; where: string }[] = tokenizer[part] ? [{ step: tokenizer[part], where: part }] : [];
    for (let i = 0; i < queue.length; i++) {
      const { step, where } = queue[i]!;
      if (i === MAX_STEPS) throw new InputError(`${name}: ${part} has more than ${MAX_STEPS} steps`);
      const { type } = check(component, step, `${name}: ${where}`);
      const fields = entryOf(stepFields, type);
      if (fields) checkPattern(check(fields, step, `${name}: ${where}`), `${name}: ${where}`);
      if (type !== "Sequence") continue;
      const key = SEQUENCES[part];
      const steps = check(z.looseObject({ [key]: z.array(z.unknown()) }), step, `${name}: ${where}`)[key] as unknown[];
      queue.push(...steps.slice(0, MAX_STEPS + 1).map((inner, k) => ({ step: inner, where: `${where}.${key}.${k}` })));
    }
  }
}

/** A regular expression that does not compile, or that could match for ever, is refused here and not at the first prompt. */
function checkPattern(step: unknown, where: string): void {
  if (!(step as { pattern?: unknown }).pattern) return;
  let compiled: RegExp | null;
  try {
    compiled = new SplitPreTokenizer(step as object).pattern;
  } catch (error) {
    throw new InputError(`${where}: the pattern cannot be used (${(error as Error).message})`);
  }
  if (compiled && mayNeverEnd(compiled))
    throw new InputError(
      `${where}: the pattern repeats a group that itself repeats or chooses, which may take for ever to match; no known tokenizer needs that`,
    );
}

function check<T>(schema: z.ZodType<T>, value: unknown, name: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new InputError(
    `${name}: ${firstWrong(parsed.error, "the file")}; is this a tokenizer that transformers wrote?`,
  );
}
