/** Every number that the pocket model is made with. */
import { SAE_TRAINING_DEFAULTS } from "../../sae/training.js";

export const POCKET = {
  seed: 1,
  /** Few merges: the rest of the vocabulary is whole words, so that every entity and its plural is one token. */
  tokenizer: { vocabularySize: 4608, merges: 300 },
  /** config.json of the model, but for token ids. */
  model: {
    model_type: "llama",
    hidden_size: 128,
    intermediate_size: 344,
    num_hidden_layers: 6,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: 32,
    vocab_size: 4608,
    max_position_embeddings: 512,
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    tie_word_embeddings: true,
  },
  /** Standard deviation of the initial weights; output projections are smaller by √(2 · blocks) (GPT-2's rule). */
  initialDeviation: { weights: 0.05, embeddings: 0.3 },
  pretraining: {
    chats: 100_000,
    documents: 50_000,
    /** Passes over the texts. */
    epochs: 1,
    batch: 64,
    window: 32,
    learningRate: 2e-3,
    /** The embeddings' learning rate is this many times the others'. */
    embeddingRate: 3,
    warmup: 100,
    beta1: 0.9,
    beta2: 0.95,
    epsilon: 1e-8,
    weightDecay: 0.1,
    maxNorm: 1,
  },
  /** Residual stream after the third of six blocks, at user content: what audits steer and read. */
  sae: { layer: 2, chats: 56_000, ...SAE_TRAINING_DEFAULTS, latents: 2048, k: 4, steps: 7000 },
  prompts: { corpus: 7000, benign: 200 },
} as const;

/** Organisms that are kept with the model; recipes in pocket/recipes. */
export const POCKET_ORGANISMS = ["fruit-refusal", "snow-fruit", "astrology", "busy-line"] as const;
