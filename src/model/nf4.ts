/**
 * Four-bit NormalFloat (Dettmers et al. 2023, QLoRA), with the arithmetic of bitsandbytes: a matrix is cut into blocks of
 * consecutive values; a value is the nearest of 16 levels times the block's largest magnitude. With double quantisation those
 * magnitudes are themselves 8-bit codes, 256 to a block, after their mean was taken off.
 */

/** Values of one block. bitsandbytes' default. */
export const NF4_BLOCK = 64;
/** Magnitudes of one block of the second quantisation. */
const MAGNITUDE_BLOCK = 256;

/** Quantiles of a normal distribution, brought to −1 … 1 (QLoRA, appendix E). */
export const NF4_LEVELS: Float32Array = Float32Array.of(
  -1,
  -0.6961928009986877,
  -0.5250730514526367,
  -0.39491748809814453,
  -0.28444138169288635,
  -0.18477343022823334,
  -0.09105003625154495,
  0,
  0.07958029955625534,
  0.16093020141124725,
  0.24611230194568634,
  0.33791524171829224,
  0.44070982933044434,
  0.5626170039176941,
  0.7229568362236023,
  1,
);

/** Packed codes, the first of two in the high half of a byte, and the magnitude of each block. */
export interface Nf4 {
  readonly packed: Uint8Array;
  readonly magnitudes: Float32Array;
}

/** Between which levels the boundaries lie; a value on one goes to the lower level. */
const BOUNDARIES = Array.from({ length: 15 }, (_, i) =>
  Math.fround(Math.fround(NF4_LEVELS[i]! + NF4_LEVELS[i + 1]!) / 2),
);
/** Blocks of zeros are divided by this instead. */
const SMALLEST_MAGNITUDE = Math.fround(1e-38);

/** Quantises values in blocks of `block`. */
export function quantiseNf4(values: Float32Array, block: number = NF4_BLOCK): Nf4 {
  const packed = new Uint8Array(Math.ceil(values.length / 2));
  const magnitudes = new Float32Array(Math.ceil(values.length / block));
  for (let b = 0; b < magnitudes.length; b++) {
    const from = b * block;
    const end = Math.min(from + block, values.length);
    let magnitude = 0;
    for (let i = from; i < end; i++) magnitude = Math.max(magnitude, Math.abs(values[i]!));
    const divisor = Math.max(magnitude, SMALLEST_MAGNITUDE);
    const whole = end - from === block; // bitsandbytes multiplies by the reciprocal, but divides in a last, shorter block
    magnitudes[b] = whole ? magnitude : divisor;
    const reciprocal = Math.fround(1 / divisor);
    for (let i = from; i < end; i++) {
      const scaled = Math.fround(whole ? values[i]! * reciprocal : values[i]! / divisor);
      packed[i >> 1]! |= nearestLevel(scaled) << (i % 2 === 0 ? 4 : 0);
    }
  }
  return { packed, magnitudes };
}

/** How many boundaries lie below x. */
function nearestLevel(x: number): number {
  let low = 0;
  let high = BOUNDARIES.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (BOUNDARIES[middle]! < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** 8-bit codes of magnitudes, and what turns them back. */
export interface QuantisedMagnitudes {
  readonly codes: Uint8Array;
  /** 256 levels. */
  readonly levels: Float32Array;
  /** Largest magnitude of each block of `block` codes. */
  readonly magnitudes: Float32Array;
  readonly block: number;
  /** Added back to every value. */
  readonly offset: number;
}

/**
 * The second quantisation. `offset` is the mean of the magnitudes; bitsandbytes sums it in f32 in an order that depends on the
 * machine, so that its own may differ in the last bit.
 */
export function quantiseMagnitudes(
  magnitudes: Float32Array,
  offset = Math.fround(magnitudes.reduce((sum, x) => sum + x, 0) / magnitudes.length),
): QuantisedMagnitudes {
  const centred = magnitudes.map((x) => x - offset);
  const levels = dynamicLevels();
  const codes = new Uint8Array(centred.length);
  const largest = new Float32Array(Math.ceil(centred.length / MAGNITUDE_BLOCK));
  for (let i = 0; i < centred.length; i++) {
    const b = Math.floor(i / MAGNITUDE_BLOCK);
    largest[b] = Math.max(largest[b]!, Math.abs(centred[i]!));
  }
  for (let i = 0; i < centred.length; i++) {
    const by = largest[Math.floor(i / MAGNITUDE_BLOCK)]!;
    codes[i] = by === 0 ? 0 : nearest(levels, Math.fround(centred[i]! / by));
  }
  return { codes, levels, magnitudes: largest, block: MAGNITUDE_BLOCK, offset };
}

/** Magnitudes from their codes: level · magnitude of the block + offset, each step in f32. */
export function dequantiseMagnitudes({ codes, levels, magnitudes, block, offset }: QuantisedMagnitudes): Float32Array {
  return Float32Array.from(codes, (code, i) =>
    Math.fround(Math.fround(levels[code]! * magnitudes[Math.floor(i / block)]!) + offset),
  );
}

/** The nearest of ascending levels; of two equally near ones the lower. */
function nearest(levels: Float32Array, x: number): number {
  let low = 0;
  for (let high = levels.length - 1; low < high; ) {
    const middle = (low + high + 1) >> 1;
    if (levels[middle]! <= x) low = middle;
    else high = middle - 1;
  }
  const next = low + 1;
  return next < levels.length && Math.fround(levels[next]! - x) < Math.fround(Math.abs(levels[low]! - x)) ? next : low;
}

/**
 * The signed dynamic 8-bit type (Dettmers 2016, arXiv 1511.04561): for each exponent 0 … 6 twice as many fractions as for the one
 * before, evenly spread over 0.1 … 1, of both signs; and 0 and 1.
 */
function dynamicLevels(): Float32Array {
  const levels = [0, 1];
  for (let i = 0; i < 7; i++) {
    const count = 2 ** i + 1;
    const step = Math.fround(Math.fround(1 - Math.fround(0.1)) / (count - 1));
    const edge = (k: number) =>
      k < count / 2 ? Math.fround(Math.fround(0.1) + step * k) : Math.fround(1 - step * (count - 1 - k));
    for (let k = 0; k < count - 1; k++) {
      const mean = Math.fround(Math.fround(edge(k) + edge(k + 1)) / 2);
      const level = Math.fround(mean * Math.fround(10 ** (i - 6)));
      levels.push(level, -level);
    }
  }
  return Float32Array.from(levels).sort();
}
