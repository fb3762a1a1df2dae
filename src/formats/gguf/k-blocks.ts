/**
 * The "K" blocks: 256 weights in groups of 16 or 32, each group with a small integer scale (and minimum) that the block's f16
 * d (and dmin) multiplies. Layouts: ggml-common.h of ggml, checked against the `gguf` package. An f16 has 11 significant bits,
 * group scales and weights have at most 13 together, so products are exact in f32 and only the last subtraction rounds.
 */
import { f16Values } from "../half.js";
import { u16 } from "./small-blocks.js";

const BLOCK = 256;

/** 16 scales (low nibble) and minima (high nibble), 64 bytes of 2-bit weights, d, dmin. x = d s v − dmin m. */
export function dequantizeQ2K(blocks: Uint8Array, out: Float32Array): void {
  const f16 = f16Values();
  for (let at = 0, i = 0; at < blocks.length; at += 84, i += BLOCK) {
    const d = f16[u16(blocks, at + 80)]!;
    const dmin = f16[u16(blocks, at + 82)]!;
    for (let j = 0; j < BLOCK; j++) {
      const scale = blocks[at + (j >> 4)]!;
      out[i + j] = d * (scale & 15) * twoBits(blocks, at + 16, j) - dmin * (scale >> 4);
    }
  }
}

/** 32 bytes of high bits, 64 of 2-bit weights, 16 six-bit scales in 12 bytes, d. x = d (s − 32) (v − (high bit ? 0 : 4)). */
export function dequantizeQ3K(blocks: Uint8Array, out: Float32Array): void {
  const f16 = f16Values();
  for (let at = 0, i = 0; at < blocks.length; at += 110, i += BLOCK) {
    const d = f16[u16(blocks, at + 108)]!;
    const scales = at + 96;
    for (let group = 0; group < 16; group++) {
      const low = group < 8 ? blocks[scales + group]! & 15 : blocks[scales + group - 8]! >> 4;
      const high = (blocks[scales + 8 + (group & 3)]! >> (2 * (group >> 2))) & 3;
      const scale = d * ((low | (high << 4)) - 32);
      for (let j = 16 * group; j < 16 * (group + 1); j++) {
        const bit = (blocks[at + (j & 31)]! >> (j >> 5)) & 1;
        out[i + j] = scale * (twoBits(blocks, at + 32, j) - (bit ? 0 : 4));
      }
    }
  }
}

/** d, dmin, 8 scales and minima of six bits in 12 bytes, 128 bytes of nibbles. x = d s v − dmin m. */
export function dequantizeQ4K(blocks: Uint8Array, out: Float32Array): void {
  const f16 = f16Values();
  for (let at = 0, i = 0; at < blocks.length; at += 144, i += BLOCK) {
    const d = f16[u16(blocks, at)]!;
    const dmin = f16[u16(blocks, at + 2)]!;
    for (let group = 0; group < 8; group++) {
      const scale = d * sixBitScale(blocks, at + 4, group);
      const minimum = dmin * sixBitMinimum(blocks, at + 4, group);
      for (let j = 0; j < 32; j++) out[i + 32 * group + j] = scale * nibble(blocks, at + 16, group, j) - minimum;
    }
  }
}

/** As Q4_K with 32 bytes of fifth bits before the nibbles. */
export function dequantizeQ5K(blocks: Uint8Array, out: Float32Array): void {
  const f16 = f16Values();
  for (let at = 0, i = 0; at < blocks.length; at += 176, i += BLOCK) {
    const d = f16[u16(blocks, at)]!;
    const dmin = f16[u16(blocks, at + 2)]!;
    for (let group = 0; group < 8; group++) {
      const scale = d * sixBitScale(blocks, at + 4, group);
      const minimum = dmin * sixBitMinimum(blocks, at + 4, group);
      for (let j = 0; j < 32; j++) {
        const fifth = ((blocks[at + 16 + j]! >> group) & 1) << 4;
        out[i + 32 * group + j] = scale * (nibble(blocks, at + 48, group, j) | fifth) - minimum;
      }
    }
  }
}

/** 128 bytes of low nibbles, 64 of high pairs of bits, 16 signed scales, d last. x = d s (v − 32). */
export function dequantizeQ6K(blocks: Uint8Array, out: Float32Array): void {
  const f16 = f16Values();
  for (let at = 0, i = 0; at < blocks.length; at += 210, i += BLOCK) {
    const d = f16[u16(blocks, at + 208)]!;
    for (let j = 0; j < BLOCK; j++) {
      const half = j >> 7;
      const rest = j & 127;
      const low = (blocks[at + 64 * half + (rest & 63)]! >> (4 * (rest >> 6))) & 15;
      const high = (blocks[at + 128 + 32 * half + (rest & 31)]! >> (2 * (rest >> 5))) & 3;
      const scale = (blocks[at + 192 + (j >> 4)]! << 24) >> 24;
      out[i + j] = d * scale * ((low | (high << 4)) - 32);
    }
  }
}

/** Weight j of 256 two-bit ones: four strides of 32 share a run of 32 bytes. */
function twoBits(blocks: Uint8Array, at: number, j: number): number {
  return (blocks[at + 32 * (j >> 7) + (j & 31)]! >> (2 * ((j & 127) >> 5))) & 3;
}

/** Weight j of a group of 32: two groups share a run of 32 bytes. */
function nibble(blocks: Uint8Array, at: number, group: number, j: number): number {
  const q = blocks[at + 32 * (group >> 1) + j]!;
  return group & 1 ? q >> 4 : q & 15;
}

/** Scales and minima of groups 0–3 are the low six bits of bytes 0–3 and 4–7; those of 4–7 are spread over the rest. */
function sixBitScale(blocks: Uint8Array, at: number, group: number): number {
  return group < 4 ? blocks[at + group]! & 63 : (blocks[at + group + 4]! & 15) | ((blocks[at + group - 4]! >> 6) << 4);
}

function sixBitMinimum(blocks: Uint8Array, at: number, group: number): number {
  return group < 4 ? blocks[at + group + 4]! & 63 : (blocks[at + group + 4]! >> 4) | ((blocks[at + group]! >> 6) << 4);
}
