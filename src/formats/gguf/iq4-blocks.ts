/** 4-bit blocks whose nibbles are places in a table of unevenly spaced levels. Layouts checked against the `gguf` package. */
import { f16Values } from "../half.js";
import { u16 } from "./small-blocks.js";

/** `kvalues_iq4nl` of ggml. */
const LEVELS = Int8Array.of(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);

/** 32 weights: d, nibbles as in Q4_0. x = d level. */
export function dequantizeIq4Nl(blocks: Uint8Array, out: Float32Array): void {
  const f16 = f16Values();
  for (let at = 0, i = 0; at < blocks.length; at += 18, i += 32) {
    const d = f16[u16(blocks, at)]!;
    for (let j = 0; j < 16; j++) {
      const q = blocks[at + 2 + j]!;
      out[i + j] = d * LEVELS[q & 15]!;
      out[i + 16 + j] = d * LEVELS[q >> 4]!;
    }
  }
}

/** 256 weights in 8 groups: d, two high bits and four low bits of each group's scale, nibbles. x = d (s − 32) level. */
export function dequantizeIq4Xs(blocks: Uint8Array, out: Float32Array): void {
  const f16 = f16Values();
  for (let at = 0, i = 0; at < blocks.length; at += 136, i += 256) {
    const d = f16[u16(blocks, at)]!;
    const high = u16(blocks, at + 2);
    for (let group = 0; group < 8; group++) {
      const low = (blocks[at + 4 + (group >> 1)]! >> (4 * (group & 1))) & 15;
      const scale = d * ((low | (((high >> (2 * group)) & 3) << 4)) - 32);
      for (let j = 0; j < 16; j++) {
        const q = blocks[at + 8 + 16 * group + j]!;
        out[i + 32 * group + j] = scale * LEVELS[q & 15]!;
        out[i + 32 * group + 16 + j] = scale * LEVELS[q >> 4]!;
      }
    }
  }
}
