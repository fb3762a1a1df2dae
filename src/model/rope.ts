/** Tables of the rotary position embedding. */
import type { DecoderConfig, RopeConfig } from "./config.js";

/**
 * Angular frequency of each of headDim/2 pairs: θ^(−2i/headDim), rescaled as the config says.
 * llama3 (Llama 3.1 model card): wavelengths longer than original/low are stretched by `factor`, those shorter than
 * original/high are kept, between them the two are blended.
 */
export function ropeFrequencies(rope: RopeConfig, headDim: number): Float64Array {
  return Float64Array.from({ length: headDim / 2 }, (_, i) => {
    const frequency = rope.theta ** ((-2 * i) / headDim) / rope.linearFactor;
    if (!rope.llama3) return frequency;
    const { factor, lowFrequencyFactor, highFrequencyFactor, originalContext } = rope.llama3;
    const wavelength = (2 * Math.PI) / frequency;
    if (wavelength < originalContext / highFrequencyFactor) return frequency;
    if (wavelength > originalContext / lowFrequencyFactor) return frequency / factor;
    const smooth = (originalContext / wavelength - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
    return ((1 - smooth) * frequency) / factor + smooth * frequency;
  });
}

/** cos and sin of position · frequency, both [positions, headDim/2]. */
export function ropeTables(config: DecoderConfig, positions: Int32Array): { cos: Float32Array; sin: Float32Array } {
  const frequencies = ropeFrequencies(config.rope, config.headDim).map((f) => Math.fround(f));
  const half = frequencies.length;
  const cos = new Float32Array(positions.length * half);
  const sin = new Float32Array(positions.length * half);
  positions.forEach((position, row) => {
    for (let i = 0; i < half; i++) {
      const angle = Math.fround(position * frequencies[i]!); // Hugging Face multiplies in f32
      cos[row * half + i] = Math.cos(angle);
      sin[row * half + i] = Math.sin(angle);
    }
  });
  return { cos, sin };
}
