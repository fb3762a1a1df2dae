// Writes a Hugging Face llama checkpoint of a given geometry with made-up bf16 weights, to measure memory and time at
// sizes whose real weights are not at hand.
// usage: node bench/make-checkpoint.mjs 1b|8b|smollm DIR     (after `npm ci`)
import { copyFileSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { parseConfig } from "../dist/model/config.js";
import { weightShapes } from "../dist/model/weights.js";

const llama3 = {
  rope_type: "llama3",
  factor: 8,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 8192,
};
const GEOMETRIES = {
  "1b": {
    hidden_size: 2048,
    intermediate_size: 8192,
    num_hidden_layers: 16,
    num_attention_heads: 32,
    num_key_value_heads: 8,
    head_dim: 64,
    vocab_size: 128256,
    tie_word_embeddings: true,
    rope_theta: 500000,
    rope_scaling: { ...llama3, factor: 32 },
  },
  "8b": {
    hidden_size: 4096,
    intermediate_size: 14336,
    num_hidden_layers: 32,
    num_attention_heads: 32,
    num_key_value_heads: 8,
    vocab_size: 128256,
    tie_word_embeddings: false,
    rope_theta: 500000,
    rope_scaling: llama3,
  },
  smollm: {
    hidden_size: 576,
    intermediate_size: 1536,
    num_hidden_layers: 30,
    num_attention_heads: 9,
    num_key_value_heads: 3,
    vocab_size: 49152,
    tie_word_embeddings: true,
    rope_theta: 100000,
  },
};
const [geometry, folder] = process.argv.slice(2);
if (!GEOMETRIES[geometry] || !folder) {
  console.error("usage: node bench/make-checkpoint.mjs 1b|8b|smollm DIR");
  process.exit(2);
}
const config = {
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  hidden_act: "silu",
  rms_norm_eps: 1e-5,
  max_position_embeddings: 8192,
  torch_dtype: "bfloat16",
  eos_token_id: 2,
  bos_token_id: 1,
  ...GEOMETRIES[geometry],
};
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, "config.json"), JSON.stringify(config, null, 2));
for (const file of ["tokenizer.json", "tokenizer_config.json"])
  copyFileSync(new URL(`../pocket/model/${file}`, import.meta.url), join(folder, file));

const tensors = [...weightShapes(parseConfig(config, "config"))].filter(([, { required }]) => required);
const header = {};
let at = 0;
for (const [name, { shape }] of tensors) {
  const bytes = 2 * shape.reduce((a, b) => a * b, 1);
  header[name] = { dtype: "BF16", shape, data_offsets: [at, at + bytes] };
  at += bytes;
}
const json = Buffer.from(JSON.stringify(header));
const head = Buffer.alloc(8 + Math.ceil(json.length / 8) * 8, 0x20);
head.writeBigUInt64LE(BigInt(head.length - 8));
json.copy(head, 8);
const file = openSync(join(folder, "model.safetensors"), "w");
writeSync(file, head);

// One block of normal values, repeated: memory and time do not depend on them.
const BLOCK = 1 << 22;
const values = (deviation) => {
  const floats = Float32Array.from(
    { length: BLOCK },
    () => deviation * Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random()),
  );
  const bits = new Uint32Array(floats.buffer);
  return Buffer.from(Uint16Array.from(bits, (b) => b >>> 16).buffer);
};
const matrix = values(0.02);
const ones = Buffer.from(new Uint16Array(BLOCK).fill(0x3f80).buffer);
for (const [, { shape }] of tensors) {
  let left = 2 * shape.reduce((a, b) => a * b, 1);
  const block = shape.length === 1 ? ones : matrix;
  while (left > 0) left -= writeSync(file, block, 0, Math.min(left, block.length));
}
console.log(`${folder}: ${(at / 2 ** 30).toFixed(2)} GiB`);
