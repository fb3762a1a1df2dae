/**
 * One sparse autoencoder, whatever format it came in. d = dModel, m = latents.
 */
export interface SaeInfo {
  /** What the user called it. */
  readonly name: string;
  /** File format, for example "saelens". */
  readonly format: string;
  /** "standard" | "jumprelu" | "topk" | "gated" | … */
  readonly architecture: string;
  readonly dModel: number;
  readonly latents: number;
  /** Layer it reads (residual after that block), where its hook point says so. */
  readonly layer?: number;
  /** Hook point, for example "blocks.2.hook_resid_post". */
  readonly hook?: string;
  /** What was done to the stored values on loading, and what the file leaves open; for people. */
  readonly notes?: readonly string[];
}

/** Non-zero latents of rows of activations, row after row (compressed sparse rows). */
export interface SparseLatents {
  /** [rows + 1] */
  readonly rowStart: Int32Array;
  /** Latent ids, ascending within a row. */
  readonly ids: Int32Array;
  readonly values: Float32Array;
}

export interface Sae {
  readonly info: SaeInfo;
  /** Latent activations of `rows` [n, d], as the SAE's own library computes them. */
  encode(rows: Float32Array): Promise<SparseLatents>;
  /** Latents of `rows` [n, d], and the rows as the SAE gives them back from those: x̂ [n, d]. */
  reconstruct(rows: Float32Array): Promise<{ readonly latents: SparseLatents; readonly rows: Float32Array }>;
  /** W_dec · v with the decoder as the SAE's own library holds it, never normalised here: [m] for v [d], [k·m] for several vectors [k, d]. */
  projectDecoder(v: Float32Array): Promise<Float32Array>;
  /** W_encᵀ · v: [m]; how strongly each encoder reads v. */
  projectEncoder(v: Float32Array): Promise<Float32Array>;
  /** D z: [k, d] for k dense vectors z [k, m]. */
  decode(z: Float32Array): Promise<Float32Array>;
  /**
   * How many decoder rows one unit of each latent adds to the residual stream [m], on average over the rows [n, d] that `rows`
   * reads: 1 but where the SAE normalises every row by itself, or measures latents against the norm of their rows. Undefined where all are 1, without
   * asking for rows.
   */
  unitLengths(rows: () => Promise<Float32Array>): Promise<Float32Array | undefined>;
  /** Norm of each decoder row: [m]. */
  decoderNorms(): Promise<Float32Array>;
  /** Norm of what reads each latent, its column of W_enc: [m]. */
  encoderNorms(): Promise<Float32Array>;
  /** The decoder row of one latent, [d]. */
  decoderRow(id: number): Promise<Float32Array>;
  close(): Promise<void>;
}
