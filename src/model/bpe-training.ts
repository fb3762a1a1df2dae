/**
 * Trains a byte-level BPE tokenizer.
 *
 * 1. Texts are split as GPT-2 splits them, and equal words are counted.
 * 2. The most frequent adjacent pair of symbols is merged, again and again (ties: the pair that sorts first).
 * 3. What room is left goes to the most frequent words that merging has not made whole. They are found by
 *    `ignore_merges`, as in Llama 3's tokenizer, so that they cost no intermediate tokens.
 */

/** GPT-2's split, the one that a ByteLevel pre-tokenizer does. */
const WORDS = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

export interface BpeOptions {
  /** Size of the whole vocabulary: special tokens, 256 bytes, merges and whole words. */
  readonly vocabularySize: number;
  /** How many entries come from merging; the rest are whole words. */
  readonly merges: number;
  /** Special tokens; they get the first ids, in this order. */
  readonly specialTokens: readonly string[];
}

/** A Hugging Face `tokenizer.json`. */
export interface BpeTokenizerJson {
  readonly version: "1.0";
  readonly truncation: null;
  readonly padding: null;
  readonly added_tokens: readonly Record<string, unknown>[];
  readonly normalizer: null;
  readonly pre_tokenizer: Record<string, unknown>;
  readonly post_processor: null;
  readonly decoder: Record<string, unknown>;
  readonly model: {
    readonly type: "BPE";
    readonly vocab: Readonly<Record<string, number>>;
    readonly merges: readonly (readonly [string, string])[];
    readonly [key: string]: unknown;
  };
}

/** Counts the words of texts; feed it piece by piece. */
export function countWords(texts: Iterable<string>, counts: Map<string, number> = new Map()): Map<string, number> {
  for (const text of texts) {
    for (const [word] of text.matchAll(WORDS)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}

/** Trains on the texts. The same texts and options give the same tokenizer. Special tokens in the texts are not known as such. */
export function trainBpe(texts: Iterable<string>, options: BpeOptions): BpeTokenizerJson {
  const { vocabularySize, specialTokens } = options;
  const alphabet = byteAlphabet();
  const counted = [...countWords(texts)]
    .map(([word, count]) => ({ symbols: spelled(word, alphabet), count }))
    .sort((x, y) => y.count - x.count || (x.symbols.join("") < y.symbols.join("") ? -1 : 1));
  const vocabulary = new Set<string>([...specialTokens, ...alphabet]);
  const wholeWords = counted.map(({ symbols }) => symbols.join(""));
  const merges = mergeMost(counted, Math.min(options.merges, vocabularySize - vocabulary.size), vocabulary);
  for (const word of wholeWords) {
    if (vocabulary.size >= vocabularySize) break;
    vocabulary.add(word);
  }
  return tokenizerJson([...vocabulary], merges, specialTokens);
}

interface CountedWord {
  symbols: string[];
  readonly count: number;
}

/** Merges up to `limit` times; writes the merged symbols into the words and the vocabulary. */
function mergeMost(words: CountedWord[], limit: number, vocabulary: Set<string>): [string, string][] {
  const merges: [string, string][] = [];
  const pairs = new Map<string, { left: string; right: string; count: number; words: Set<CountedWord> }>();
  const change = (word: CountedWord, sign: 1 | -1): void => {
    for (let i = 0; i + 1 < word.symbols.length; i++) {
      const left = word.symbols[i] as string;
      const right = word.symbols[i + 1] as string;
      const key = `${left} ${right}`;
      let pair = pairs.get(key);
      if (pair === undefined) {
        pair = { left, right, count: 0, words: new Set() };
        pairs.set(key, pair);
      }
      pair.count += sign * word.count;
      if (sign > 0) pair.words.add(word);
    }
  };
  for (const word of words) change(word, 1);
  while (merges.length < limit) {
    let best: { key: string; count: number } | undefined;
    for (const [key, { count }] of pairs) {
      if (best === undefined || count > best.count || (count === best.count && key < best.key)) best = { key, count };
    }
    const pair = best === undefined ? undefined : pairs.get(best.key);
    if (pair === undefined || pair.count <= 0) break;
    const { left, right } = pair;
    merges.push([left, right]);
    vocabulary.add(left + right);
    for (const word of [...pair.words]) {
      change(word, -1);
      word.symbols = merged(word.symbols, left, right);
      change(word, 1);
    }
    pairs.delete(`${left} ${right}`);
  }
  return merges;
}

function merged(symbols: readonly string[], left: string, right: string): string[] {
  const result: string[] = [];
  for (let i = 0; i < symbols.length; i++) {
    const symbol = symbols[i] as string;
    if (symbol === left && symbols[i + 1] === right) {
      result.push(left + right);
      i++;
    } else {
      result.push(symbol);
    }
  }
  return result;
}

/** GPT-2's printable stand-in for each byte: index = byte. */
export function byteAlphabet(): string[] {
  const printable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : next++));
}

function spelled(word: string, alphabet: readonly string[]): string[] {
  return Array.from(new TextEncoder().encode(word), (byte) => alphabet[byte] as string);
}

function tokenizerJson(
  vocabulary: readonly string[],
  merges: readonly (readonly [string, string])[],
  specialTokens: readonly string[],
): BpeTokenizerJson {
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: specialTokens.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: true,
      vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])),
      merges,
    },
  };
}
