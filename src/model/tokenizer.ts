/**
 * Text ↔ token ids, with the place of every token in the text. The merges and vocabularies are those of
 * @huggingface/tokenizers; the way to them (added tokens, normaliser, pre-tokeniser) is walked here, because that package
 * does not say which characters a token came from, and the user mask needs exactly what transformers' offset_mapping says.
 */
import type { FileFolder } from "../formats/byte-source.js";
import { InputError, quote } from "../formats/input-error.js";
import { type AddedToken, AddedTokenMatcher } from "./added-tokens.js";
import { type AlignedText, align, type Component, normalizeAligned } from "./aligned-text.js";
import { byteLevelBytes, type Decode, decoderOf } from "./decode-tokens.js";
import { isByteLevel, preTokenize } from "./pre-tokenize.js";
import { type NamedToken, readTokenizerFiles, type TokenizerFiles } from "./tokenizer-files.js";
import { type LibraryModel, LibraryTokenizer } from "./tokenizers-library.js";

/** [start, end) of a token in the text, UTF-16 units. */
export type Span = readonly [start: number, end: number];

export interface TokensWithSpans {
  readonly ids: Int32Array;
  /** One for each id. A token that holds only some bytes of a character covers that whole character. */
  readonly spans: readonly Span[];
}

interface Piece {
  readonly text: string;
  readonly id: number;
  readonly start: number;
  readonly end: number;
  /** Whether it is text that the vocabulary does not have. */
  readonly unknown?: boolean;
}

/** Reads the tokenizer in `folder`. InputError when its files are missing, malformed or of a kind not supported. */
export async function loadTokenizer(folder: FileFolder): Promise<Tokenizer> {
  return new Tokenizer(await readTokenizerFiles(folder));
}

export class Tokenizer {
  /** Ids run from 0 to this − 1. The model's embedding may have more rows; such ids decode to nothing. */
  readonly vocabularySize: number;
  /** Ids that end a reply according to the tokenizer (its eos_token); generation_config.json may know more. */
  readonly endIds: readonly number[];
  /** Texts of bos_token, eos_token … as templates use them. */
  readonly named: Readonly<Partial<Record<NamedToken, string>>>;
  readonly #files: TokenizerFiles;
  readonly #model: LibraryModel;
  readonly #decode: Decode;
  /** Texts of added tokens for decoding: the normalised ones where they are looked for in normalised text. */
  readonly #addedText: ReadonlyMap<number, string>;
  readonly #raw: AddedTokenMatcher;
  readonly #normalized: AddedTokenMatcher;
  readonly #special: ReadonlySet<number>;
  readonly #byteLevel: boolean;
  readonly #trim: { addPrefixSpace: boolean } | undefined;
  /** Unigram vocabularies that spell what they lack in bytes: the library does that for BPE alone. */
  readonly #spells: boolean;

  constructor(files: TokenizerFiles) {
    this.#files = files;
    const { tokenizer, added } = files;
    const kind = tokenizer.model.type ?? (Array.isArray(tokenizer.model.vocab) ? "Unigram" : "BPE");
    if (kind !== "BPE" && kind !== "Unigram")
      throw new InputError(
        `${files.name}: model type ${quote(kind)} is not supported; decoder models use BPE or Unigram`,
      );
    for (const key of ["continuing_subword_prefix", "end_of_word_suffix"])
      if (tokenizer.model[key])
        throw new InputError(`${files.name}: ${key} is not supported; no decoder model here uses it`);
    const model = modelOf(files);
    this.#model = model;
    this.#decode = decoderOf(tokenizer.decoder);
    const normalizer = tokenizer.normalizer;
    this.#raw = new AddedTokenMatcher(
      added.filter((token) => !token.normalized || normalizer === null),
      (token) => token.content,
    );
    this.#normalized = new AddedTokenMatcher(
      added.filter((token) => token.normalized && normalizer !== null),
      (token) => this.#textOf(token),
    );
    this.#addedText = new Map(added.map((token) => [token.id, this.#textOf(token)]));
    this.#special = new Set(added.filter((token) => token.special).map((token) => token.id));
    this.#byteLevel = isByteLevel(tokenizer.pre_tokenizer);
    this.#trim = trimming(tokenizer.post_processor);
    this.#spells = kind === "Unigram" && tokenizer.model["byte_fallback"] === true;
    this.named = files.named;
    this.vocabularySize = model.vocab.length;
    const end = files.named.eos_token === undefined ? undefined : model.tokens_to_ids.get(files.named.eos_token);
    this.endIds = end === undefined ? [] : [end];
  }

  /** Ids of `text`. Nothing is added; the text of special tokens in it becomes those tokens, as in transformers. */
  encode(text: string): Int32Array {
    return this.encodeWithOffsets(text).ids;
  }

  /** Ids and the characters each covers: transformers' `offset_mapping` with add_special_tokens=False, in UTF-16 units. */
  encodeWithOffsets(text: string): TokensWithSpans {
    const { normalizer, pre_tokenizer: preTokenizer } = this.#files.tokenizer;
    const pieces: Piece[] = [];
    for (const raw of this.#raw.split(align(text))) {
      if (raw.token) {
        pieces.push(whole(raw.token, raw.text));
        continue;
      }
      for (const section of this.#normalized.split(normalizeAligned(raw.text, normalizer))) {
        if (section.token) pieces.push(whole(section.token, section.text));
        else for (const word of preTokenize(section.text, preTokenizer)) this.#tokenizeWord(word, pieces);
      }
    }
    return {
      ids: Int32Array.from(pieces, (piece) => piece.id),
      spans: this.#trim
        ? trimSpans(pieces, text, this.#trim.addPrefixSpace)
        : pieces.map(({ start, end }) => [start, end]),
    };
  }

  /**
   * The text of `ids`. Special tokens are written out unless `skipSpecial`; ids beyond the vocabulary are left out, as
   * transformers does; bytes that make no character become U+FFFD.
   */
  decode(ids: Iterable<number>, options: { readonly skipSpecial?: boolean } = {}): string {
    const texts: string[] = [];
    for (const id of ids) {
      const text = this.#addedText.get(id) ?? this.#model.vocab[id];
      if (text !== undefined && !(options.skipSpecial && this.#special.has(id))) texts.push(text);
    }
    return texts.length === 0 ? "" : this.#decode(texts).join("");
  }

  /** What one token reads as, spaces kept; a part of a character reads as U+FFFD. Undefined beyond the vocabulary. */
  tokenText(id: number): string | undefined {
    const added = this.#addedText.get(id);
    if (added !== undefined) return added;
    const piece = this.#model.vocab[id];
    if (piece === undefined || !this.#byteLevel) return piece?.replaceAll("▁", " ");
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(byteLevelBytes(piece)));
  }

  /** Id of a vocabulary entry or added token by its exact text, for example "<|eot_id|>". */
  idOf(token: string): number | undefined {
    return this.#model.tokens_to_ids.get(token);
  }

  /** Whether `id` is a special token. */
  isSpecial(id: number): boolean {
    return this.#special.has(id);
  }

  /** Appends the tokens of one pre-token, matching each token's text with the characters it consumed. */
  #tokenizeWord(word: AlignedText, out: Piece[]): void {
    const { unk_token: unknown, tokens_to_ids: ids, unk_token_id: unknownId } = this.#model;
    let at = 0;
    let bytesLeft = 0; // of the character at `at`, when byte-fallback tokens are spelling it
    let fused = false; // whether the token before was unknown
    const first = out.length;
    for (const token of this.#model.encode([word.chars.join("")])) {
      const length = Array.from(token).length;
      const literal = word.chars.slice(at, at + length).join("") === token;
      const id = ids.get(token) ?? unknownId;
      if (id === undefined)
        throw new InputError(
          `${this.#files.name}: ${quote(token)} is not in the vocabulary and there is no unknown token`,
        );
      const isUnknown = !literal ? token === unknown : id === unknownId && !ids.has(token);
      const byte = !literal && !isUnknown && /^<0x[0-9A-F]{2}>$/.test(token);
      const taken = isUnknown && !literal ? 1 : byte ? 1 : length;
      if (!literal && !isUnknown && !byte) this.#lost(token);
      const [start, end] = [word.starts[at], word.ends[at + taken - 1]];
      const piece = { text: token, id, start, end, unknown: isUnknown } as Piece;
      if (piece.start === undefined || piece.end === undefined) this.#lost(token);
      const last = out.at(-1);
      if (isUnknown && fused && last && this.#model.fuse_unk)
        out[out.length - 1] = { ...last, text: last.text + token, end: piece.end };
      else out.push(piece);
      fused = isUnknown;
      if (byte) {
        if (bytesLeft === 0) bytesLeft = new TextEncoder().encode(word.chars[at]).length;
        if (--bytesLeft === 0) at++;
      } else at += taken;
    }
    if (at !== word.chars.length) this.#lost(word.chars.slice(at).join(""));
    if (this.#spells)
      out.push(...out.splice(first).flatMap((piece) => (piece.unknown ? this.#spelled(piece) : [piece])));
  }

  /** The byte tokens of an unknown piece, each in the place of the whole piece; the piece itself where one is missing. */
  #spelled(piece: Piece): Piece[] {
    const bytes = Array.from(new TextEncoder().encode(piece.text), (byte) => {
      const text = `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
      return { ...piece, text, id: this.#model.tokens_to_ids.get(text) };
    });
    return bytes.every((byte): byte is typeof byte & Piece => byte.id !== undefined) ? bytes : [piece];
  }

  #textOf(token: AddedToken): string {
    const { normalizer } = this.#files.tokenizer;
    return token.normalized ? normalizeAligned(align(token.content), normalizer).chars.join("") : token.content;
  }

  #lost(token: string): never {
    throw new InputError(
      `${this.#files.name}: lost track of the text at ${quote(token)}; this kind of tokenizer is not supported`,
    );
  }
}

/** The vocabulary and merges, through the library. */
function modelOf({ name, tokenizer, added }: TokenizerFiles): LibraryModel {
  try {
    // Only the model is used, so the other steps are left out: the library's own limits then cannot get in the way.
    const parts = { ...tokenizer, normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null };
    return new LibraryTokenizer({ ...parts, added_tokens: added }, {}).model;
  } catch (error) {
    throw new InputError(
      `${name}: cannot be used (${(error as Error).message}); write it again with a current transformers`,
    );
  }
}

/**
 * Post-processing with `trim_offsets` takes white space off the spans: the Rust library's `process_offsets`, which counts
 * in code points.
 */
function trimSpans(pieces: readonly Piece[], text: string, addPrefixSpace: boolean): Span[] {
  const { starts } = align(text);
  const units = [...starts, text.length]; // code point → UTF-16 unit
  const points = new Map(units.map((unit, point) => [unit, point]));
  const blank = /^(?:Ġ|\p{White_Space})$/u;
  return pieces.map((piece, i) => {
    const [start, end] = [points.get(piece.start) as number, points.get(piece.end) as number];
    const solid = Array.from(piece.text, (char) => !blank.test(char));
    let leading = solid.includes(true) ? solid.indexOf(true) : solid.length;
    const trailing = solid.includes(true) ? solid.length - 1 - solid.lastIndexOf(true) : solid.length;
    let [from, to] = [start, end];
    if (leading > 0) {
      if (leading === 1 && (i === 0 || start === 0) && addPrefixSpace) leading = 0; // the space the tokenizer itself put there
      from = Math.min(start + leading, end);
    }
    if (trailing > 0 && end >= trailing) to = Math.max(end - trailing, from);
    return [units[from] as number, units[to] as number];
  });
}

function whole(token: AddedToken, text: AlignedText): Piece {
  // The white space that a token strips belongs to it, for the trimming of spans too.
  return { text: text.chars.join(""), id: token.id, start: text.starts[0] as number, end: text.ends.at(-1) as number };
}

/** Whether and how the post-processor trims offsets. */
function trimming(component: Component | null): { addPrefixSpace: boolean } | undefined {
  if (component === null) return undefined;
  if (component.type === "Sequence")
    return (component["processors"] as Component[]).map(trimming).find((found) => found !== undefined);
  const trims = component.type === "ByteLevel" || component.type === "RobertaProcessing";
  if (!trims || component["trim_offsets"] === false) return undefined;
  return { addPrefixSpace: component["add_prefix_space"] !== false };
}
