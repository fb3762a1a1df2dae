/**
 * The parts of @huggingface/tokenizers that are used here, typed: its own declarations import without file extensions, so
 * module resolution for Node does not find them.
 */
import * as library from "@huggingface/tokenizers";

export interface LibraryModel {
  /** Text by id; holes where ids are skipped. */
  readonly vocab: readonly (string | undefined)[];
  readonly tokens_to_ids: ReadonlyMap<string, number>;
  readonly unk_token_id?: number;
  readonly unk_token?: string;
  readonly fuse_unk: boolean;
  /** Texts of the tokens of each word. */
  encode(words: readonly string[]): string[];
}

export interface LibraryTokenizer {
  readonly model: LibraryModel;
}

interface Library {
  readonly Tokenizer: new (tokenizer: object, config: object) => LibraryTokenizer;
  readonly ReplaceNormalizer: new (config: object) => { readonly pattern: RegExp | null };
  readonly SplitPreTokenizer: new (config: object) => { readonly pattern: RegExp | null };
}

export const { Tokenizer: LibraryTokenizer, ReplaceNormalizer, SplitPreTokenizer } = library as unknown as Library;
