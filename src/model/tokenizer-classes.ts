/**
 * What transformers (5) makes of a tokenizer by its class. Some classes take vocabulary, merges and post-processor from
 * tokenizer.json, and the other steps from their own code, whatever the file says; all others take the file as it stands.
 */
import type { Component } from "./aligned-text.js";
import { isByteLevel } from "./pre-tokenize.js";

/** The part of tokenizer.json that a class may replace. */
export interface Steps {
  readonly model: { readonly [key: string]: unknown };
  readonly normalizer: Component | null;
  readonly pre_tokenizer: Component | null;
  readonly decoder: Component | null;
}

/** What tokenizer_config.json says about the class and its arguments. */
export interface ClassSettings {
  readonly tokenizer_class?: string | null | undefined;
  readonly legacy?: unknown;
  readonly add_prefix_space?: unknown;
}

type OwnSteps = Omit<Steps, "model"> & { readonly model?: Steps["model"] };

const SENTENCEPIECE = { fuse_unk: true, byte_fallback: true };
const SPACES = { type: "Replace", pattern: { String: "▁" }, content: " " };

/** tokenizer_class, without its "Fast" → the steps that it brings. */
const CLASSES: Readonly<Record<string, (settings: ClassSettings) => OwnSteps>> = {
  Qwen2Tokenizer: () => ({
    normalizer: { type: "NFC" },
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        {
          type: "Split",
          pattern: {
            Regex:
              "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
          },
          behavior: "Isolated",
          invert: false,
        },
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    decoder: { type: "ByteLevel" },
  }),
  GPT2Tokenizer: ({ add_prefix_space }) => ({
    normalizer: null,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: add_prefix_space === true },
    decoder: { type: "ByteLevel" },
  }),
  /** Published files (Llama 2, TinyLlama) write "▁" after every special token; this class writes it before the text alone, unless `legacy`. */
  LlamaTokenizer: ({ legacy, add_prefix_space }) => {
    const prefixed = add_prefix_space !== false;
    const scheme = legacy === true ? "always" : "first";
    return {
      model: SENTENCEPIECE,
      normalizer: null,
      pre_tokenizer: { type: "Metaspace", prepend_scheme: prefixed ? scheme : "never", split: false },
      decoder: {
        type: "Sequence",
        decoders: [
          SPACES,
          { type: "ByteFallback" },
          { type: "Fuse" },
          ...(prefixed ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
        ],
      },
    };
  },
  GemmaTokenizer: () => ({
    model: SENTENCEPIECE,
    normalizer: { type: "Replace", pattern: { String: " " }, content: "▁" },
    pre_tokenizer: { type: "Split", pattern: { String: " " }, behavior: "MergedWithPrevious", invert: false },
    decoder: { type: "Sequence", decoders: [SPACES, { type: "ByteFallback" }, { type: "Fuse" }] },
  }),
};

/** Models whose tokenizers are taken as the file says, whatever tokenizer_class says. */
const AS_STORED = ["mistral", "olmo2", "phi3"];
/** Models whose tokenizers are of this class where tokenizer_config.json names none. */
const CLASS_OF_MODEL: Readonly<Record<string, string>> = {
  qwen2: "Qwen2Tokenizer",
  qwen3: "Qwen2Tokenizer",
  gemma2: "GemmaTokenizer",
  gemma3: "GemmaTokenizer",
  gemma3_text: "GemmaTokenizer",
};

/** `stored` with the steps of the class that transformers takes for a tokenizer of a model of this type. */
export function withClassSteps<T extends Steps>(stored: T, settings: ClassSettings, modelType: string | undefined): T {
  const own = CLASSES[className(stored, settings, modelType) ?? ""]?.(settings);
  // These classes are of BPE models; another model is what a converter wrote for some other class.
  if (!own || !("merges" in stored.model)) return stored;
  return { ...stored, ...own, model: { ...stored.model, ignore_merges: false, ...own.model } };
}

function className(stored: Steps, { tokenizer_class }: ClassSettings, modelType = ""): string | undefined {
  if (AS_STORED.includes(modelType)) return undefined;
  // Published Qwen 2 files name all sorts of classes.
  if (modelType === "qwen2") return CLASS_OF_MODEL["qwen2"];
  const name = tokenizer_class?.replace(/Fast$/, "") ?? CLASS_OF_MODEL[modelType];
  // Llama 3 and others that kept the name of Llama 2's.
  const byteLevel = isByteLevel(stored.pre_tokenizer) || hasByteLevel(stored.decoder);
  return name === "LlamaTokenizer" && byteLevel ? undefined : name;
}

function hasByteLevel(decoder: Component | null): boolean {
  if (decoder?.type === "Sequence") return (decoder["decoders"] as Component[]).some(hasByteLevel);
  return decoder?.type === "ByteLevel";
}
