/**
 * Whether a head is its embedding. transformers 5 goes by the weights: where a checkpoint holds both, and they differ, its
 * head is its own, whatever tie_word_embeddings says (merged and resized finetunes are saved so).
 */
import { isPlain, type LocatedTensor, readFiniteF32 } from "../formats/tensor-file.js";
import type { DecoderConfig } from "./decoder-config.js";

const HEAD = "lm_head.weight";
const EMBEDDING = "model.embed_tokens.weight";
/** Bytes of each that are compared at a time; a head that is another differs in the first of them. */
const CHUNK = 16 << 20;

/** `config`, untied where `named` (tensors by the decoder's names) holds a head of its own. */
export async function withOwnHead(
  config: DecoderConfig,
  named: ReadonlyMap<string, LocatedTensor>,
): Promise<DecoderConfig> {
  const [head, embedding] = [named.get(HEAD), named.get(EMBEDDING)];
  if (!config.tied || !head || !embedding || (await areEqual(head, embedding))) return config;
  return { ...config, tied: false };
}

async function areEqual(a: LocatedTensor, b: LocatedTensor): Promise<boolean> {
  if (a.source === b.source && a.entry.begin === b.entry.begin) return true; // PyTorch's files name one storage twice
  if (a.entry.dtype !== b.entry.dtype || !isPlain(a.entry) || !isPlain(b.entry))
    return same(await readFiniteF32(a.source, a.entry), await readFiniteF32(b.source, b.entry));
  const length = a.entry.end - a.entry.begin;
  if (b.entry.end - b.entry.begin !== length) return false;
  for (let at = 0; at < length; at += CHUNK) {
    const read = ({ source, entry }: LocatedTensor) => source.read(entry.begin + at, Math.min(CHUNK, length - at));
    if (!same(await read(a), await read(b))) return false;
  }
  return true;
}

function same(a: Uint8Array | Float32Array, b: Uint8Array | Float32Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
