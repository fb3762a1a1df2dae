/** An SAE small enough to work out on paper. */
import type { Sae } from "./sae.js";

/** An SAE whose decoder rows are given; encoder rows are the same unless given. */
export function toySae(decoder: readonly (readonly number[])[], encoder = decoder): Sae {
  const d = decoder[0]!.length;
  const m = decoder.length;
  const project = (rows: readonly (readonly number[])[], v: Float32Array): Float32Array => {
    const vectors = v.length / d;
    return Float32Array.from({ length: vectors * m }, (_, at) => {
      const row = rows[at % m]!;
      return row.reduce((sum, x, i) => sum + x * v[Math.floor(at / m) * d + i]!, 0);
    });
  };
  return {
    info: { name: "toy", format: "toy", architecture: "standard", dModel: d, latents: m },
    encode: async () => {
      throw new Error("the toy does not encode");
    },
    reconstruct: async () => {
      throw new Error("the toy does not encode");
    },
    projectDecoder: async (v) => project(decoder, v),
    projectEncoder: async (v) => project(encoder, v),
    decode: async (z) =>
      Float32Array.from({ length: (z.length / m) * d }, (_, at) =>
        decoder.reduce((sum, row, j) => sum + row[at % d]! * z[Math.floor(at / d) * m + j]!, 0),
      ),
    unitLengths: async () => undefined,
    decoderNorms: async () => Float32Array.from(decoder, (row) => Math.hypot(...row)),
    encoderNorms: async () => Float32Array.from(encoder, (row) => Math.hypot(...row)),
    decoderRow: async (id) => Float32Array.from(decoder[id]!),
    close: async () => {},
  };
}
