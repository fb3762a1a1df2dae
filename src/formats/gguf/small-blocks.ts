/**
 * Blocks of 32 weights with one scale d (f16), and in the _1 types a minimum m (f16). Layouts: docs of ggml, checked
 * against the `gguf` package. Products of an f16 and an integer below 2^13 are exact in f32, so every value here is rounded at most
 * once, when it is stored, just as in f32 arithmetic.
 */
import { f16Values } from "../half.js";

const BLOCK = 32;
const HALF = 16;

/** d, 16 bytes of nibbles: weight i is the low nibble of byte i, weight 16 + i the high one. x = d (v − 8). */
export function dequantizeQ4_0(blocks: Uint8Array, out: Float32Array): void {
  const f16 = f16Values();
  for (let at = 0, i = 0; at < blocks.length; at += 18, i += BLOCK) {
    const d = f16[u16(blocks, at)]!;
    for (let j = 0; j < HALF; j++) {
      const q = blocks[at + 2 + j]!;
      out[i + j] = d * ((q & 15) - 8);
      out[i + HALF + j] = d * ((q >> 4) - 8);
    }
  }
}

/** d, m, nibbles as Q4_0. x = d v + m. */
export function dequantizeQ4_1(blocks: Uint8Array, out: Float32Array): void {
  const f16 = f16Values();
  for (let at = 0, i = 0; at < blocks.length; at += 20, i += BLOCK) {
    const d = f16[u16(blocks, at)]!;
    const m = f16[u16(blocks, at + 2)]!;
    for (let j = 0; j < HALF; j++) {
      const q = blocks[at + 4 + j]!;
      out[i + j] = d * (q & 15) + m;
      out[i + HALF + j] = d * (q >> 4) + m;
    }
  }
}

/** d, 32 high bits, nibbles as Q4_0; v = nibble + 16 · bit i. x = d (v − 16). */
export function dequantizeQ5_0(blocks: Uint8Array, out: Float32Array): void {
  const f16 = f16Values();
  for (let at = 0, i = 0; at < blocks.length; at += 22, i += BLOCK) {
    const d = f16[u16(blocks, at)]!;
    const high = u32(blocks, at + 2);
    for (let j = 0; j < HALF; j++) {
      const q = blocks[at + 6 + j]!;
      out[i + j] = d * (((q & 15) | (((high >>> j) & 1) << 4)) - 16);
      out[i + HALF + j] = d * (((q >> 4) | (((high >>> (HALF + j)) & 1) << 4)) - 16);
    }
  }
}

/** d, m, high bits and nibbles as Q5_0. x = d v + m. */
export function dequantizeQ5_1(blocks: Uint8Array, out: Float32Array): void {
  const f16 = f16Values();
  for (let at = 0, i = 0; at < blocks.length; at += 24, i += BLOCK) {
    const d = f16[u16(blocks, at)]!;
    const m = f16[u16(blocks, at + 2)]!;
    const high = u32(blocks, at + 4);
    for (let j = 0; j < HALF; j++) {
      const q = blocks[at + 8 + j]!;
      out[i + j] = d * ((q & 15) | (((high >>> j) & 1) << 4)) + m;
      out[i + HALF + j] = d * ((q >> 4) | (((high >>> (HALF + j)) & 1) << 4)) + m;
    }
  }
}

/** d, 32 signed bytes. x = d q. */
export function dequantizeQ8_0(blocks: Uint8Array, out: Float32Array): void {
  const f16 = f16Values();
  for (let at = 0, i = 0; at < blocks.length; at += 34, i += BLOCK) {
    const d = f16[u16(blocks, at)]!;
    for (let j = 0; j < BLOCK; j++) out[i + j] = d * ((blocks[at + 2 + j]! << 24) >> 24);
  }
}

/** Little-endian integers at `at`. */
export function u16(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8);
}

function u32(bytes: Uint8Array, at: number): number {
  return (u16(bytes, at) | (u16(bytes, at + 2) << 16)) >>> 0;
}
