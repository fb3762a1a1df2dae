/**
 * 16-bit floats: IEEE binary16 ("f16") and bfloat16 ("bf16") as raw bits, to and from f32.
 * Narrowing rounds to nearest, ties to even, as PyTorch and numpy do; NaN stays NaN (made quiet); overflow becomes infinity.
 */

/** Bits → f32 for every binary16 value (256 KiB); filled at first use, since most runs never see f16. */
let f16Table: Float32Array | undefined;

function f16BitsToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24; // zero and subnormals
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Widens binary16 bits [n] to f32 [n], exactly; into `out` when given. */
export function f16ToF32(bits: Uint16Array, out: Float32Array = new Float32Array(bits.length)): Float32Array {
  f16Table ??= Float32Array.from({ length: 0x10000 }, (_, b) => f16BitsToNumber(b));
  for (let i = 0; i < bits.length; i++) out[i] = f16Table[bits[i] as number] as number;
  return out;
}

/** Narrows f32 [n] to binary16 bits [n]: nearest, ties to even; beyond ±65504 (+ half a step) infinity. */
export function f32ToF16(values: Float32Array): Uint16Array {
  const source = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < source.length; i++) {
    const x = source[i] as number;
    const sign = (x >>> 16) & 0x8000;
    const magnitude = x & 0x7fffffff;
    if (magnitude > 0x7f800000)
      out[i] = sign | 0x7e00; // NaN
    else if (magnitude >= 0x477ff000)
      out[i] = sign | 0x7c00; // rounds to 65536 or more: infinity
    else if (magnitude < 0x38800000) {
      // Below 2^-14: subnormal; its unit is 2^-24. Adding 0.5 in f32 lines the bits up and rounds to even at once.
      rounding.float[0] = Math.abs(values[i] as number) + 0.5;
      out[i] = sign | ((rounding.bits[0] as number) - 0x3f000000);
    } else {
      // Rebias the exponent (127 → 15) and round the 13 bits that fall off.
      out[i] = sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
    }
  }
  return out;
}

const rounding = (() => {
  const float = new Float32Array(1);
  return { float, bits: new Uint32Array(float.buffer) };
})();

/** Widens bfloat16 bits [n] to f32 [n], exactly; into `out` when given. */
export function bf16ToF32(bits: Uint16Array, out: Float32Array = new Float32Array(bits.length)): Float32Array {
  const target = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < bits.length; i++) target[i] = (bits[i] as number) << 16;
  return out;
}

/** Narrows f32 [n] to bfloat16 bits [n]: nearest, ties to even. */
export function f32ToBf16(values: Float32Array): Uint16Array {
  const source = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < source.length; i++) {
    const x = source[i] as number;
    out[i] = (x & 0x7fffffff) > 0x7f800000 ? (x >>> 16) | 0x40 : (x + 0x7fff + ((x >>> 16) & 1)) >>> 16;
  }
  return out;
}
