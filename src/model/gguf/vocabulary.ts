/** The vocabulary in a GGUF file: tokens by id, what kind each is, and which ids have a role. */
import { InputError, quote } from "../../formats/input-error.js";
import type { Keys } from "./keys.js";

/** `tokenizer.ggml.token_type`, as SentencePiece numbers them. */
const CONTROL = 3;
const USER_DEFINED = 4;

export interface VocabularyToken {
  readonly id: number;
  readonly text: string;
  /** Part of the format, not of texts: "<|im_start|>". */
  readonly control: boolean;
  /** Looked for in texts and kept whole: "<think>". */
  readonly userDefined: boolean;
}

export interface Vocabulary {
  /** "gpt2", "llama". */
  readonly model: string;
  readonly tokens: readonly VocabularyToken[];
  readonly scores?: readonly number[];
  /** Pairs of tokens, the most important first. */
  readonly merges?: readonly (readonly [string, string])[];
  /** Ids by role; only those that the file gives. */
  readonly roles: Readonly<Partial<Record<Role, number>>>;
}

const ROLES = {
  bos: "bos_token_id",
  eos: "eos_token_id",
  eot: "eot_token_id",
  eom: "eom_token_id",
  unk: "unknown_token_id",
  pad: "padding_token_id",
} as const;
type Role = keyof typeof ROLES;

/** Reads `tokenizer.ggml.*`. InputError where lists do not fit together or an id is beyond the vocabulary. */
export function readVocabulary(keys: Keys): Vocabulary {
  const key = (name: string) => `tokenizer.ggml.${name}`;
  const texts = keys.texts(key("tokens")) ?? keys.refuse(key("tokens"), "a list of texts");
  const types = keys.numbers(key("token_type"));
  const scores = keys.numbers(key("scores"));
  for (const [name, list] of [
    ["token_type", types],
    ["scores", scores],
  ] as const)
    if (list && list.length !== texts.length)
      throw new InputError(`${keys.file}: ${key(name)} has ${list.length} entries for ${texts.length} tokens`);
  const merges = keys.texts(key("merges"))?.map((line): [string, string] => {
    const at = line.indexOf(" ", 1);
    if (at < 0 || at === line.length - 1 || line.indexOf(" ", at + 1) >= 0)
      throw new InputError(
        `${keys.file}: ${key("merges")} holds ${quote(line)}; each must be two tokens with a space between`,
      );
    return [line.slice(0, at), line.slice(at + 1)];
  });
  const roles: Partial<Record<Role, number>> = {};
  for (const [role, name] of Object.entries(ROLES) as [Role, string][]) {
    const id = keys.number(key(name));
    if (id === undefined) continue;
    if (!Number.isInteger(id) || id < 0 || id >= texts.length)
      throw new InputError(`${keys.file}: ${key(name)} is ${id}, but the vocabulary has ids 0 to ${texts.length - 1}`);
    roles[role] = id;
  }
  const special = new Set(Object.values(roles)); // as transformers takes them, whatever their type says
  return {
    model: keys.needText(key("model")),
    tokens: texts.map((text, id) => ({
      id,
      text,
      control: types?.[id] === CONTROL || special.has(id),
      userDefined: types?.[id] === USER_DEFINED,
    })),
    ...(scores ? { scores } : {}),
    ...(merges ? { merges } : {}),
    roles,
  };
}
