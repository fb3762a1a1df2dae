/** What the kinds of vocabularies make of themselves. */
import type { Component } from "../aligned-text.js";
import type { VocabularyToken } from "./vocabulary.js";

/** What the kinds of vocabularies differ in. */
export interface TokenizerParts {
  readonly model: {
    readonly type: "BPE";
    readonly vocab: ReadonlyMap<string, number>;
    readonly merges: readonly (readonly [string, string])[];
    readonly fuse_unk: boolean;
    readonly byte_fallback: boolean;
    readonly ignore_merges: boolean;
    readonly unk_token?: string;
  };
  readonly normalizer: Component | null;
  readonly preTokenizer: Component | null;
  readonly decoder: Component;
  /** Tokens that are found whole in texts. */
  readonly added: readonly VocabularyToken[];
}
