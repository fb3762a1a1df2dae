/**
 * An SAE over dense matrices. Every product with the encoder or decoder is a graph in a runtime; a matrix lies there once,
 * resident or mapped from its file, however many graphs use it.
 */
import type { Program, Resident, Runtime, TensorData } from "../engine/runtime.js";
import { add, Graph, greater, mul, relu, type Tensor, thresholdedRelu, where } from "../graph/index.js";
import { type GraphMatrix, latentNorms, type MappedMatrix, mappedMatrix, residentMatrix } from "./matrix.js";
import type { Sae, SaeInfo, SparseLatents } from "./sae.js";
import { denseRows, SparseRows } from "./sparse.js";
import { decoderOutput, encoderInput, meanLength, type SaeWeights } from "./weights.js";

/**
 * Elements of one dense [rows, latents] block: 64 MiB of f32, large enough that a matrix product runs at full speed (128
 * rows at 131,072 latents) and small beside the matrices.
 */
const BLOCK_ELEMENTS = 2 ** 24;

/** How a matrix in memory lies: the encoder as [d, m], the decoder as [m, d]. */
const IN_MEMORY = { encoder: "columns", decoder: "rows" } as const;
type MatrixName = keyof typeof IN_MEMORY;

/** A matrix where graphs find it. */
type HeldMatrix = Resident | MappedMatrix;

/** Distinguishes the resident tensors of SAEs that share a runtime. */
let opened = 0;

/**
 * Puts the matrices that are in memory into `runtime` and returns the SAE. The weights' arrays are given away: do not use
 * them afterwards. `close` forgets the matrices and leaves the runtime open.
 */
export async function openDenseSae(weights: SaeWeights, runtime: Runtime): Promise<Sae> {
  const { dModel: d, latents: m } = weights.info;
  const prefix = `sae${opened++}`;
  const hold = async (name: MatrixName): Promise<HeldMatrix> => {
    const matrix = weights[name];
    if (!(matrix instanceof Float32Array)) return matrix;
    const resident = `${prefix}/${name}`;
    await runtime.put(resident, floats(IN_MEMORY[name] === "rows" ? [m, d] : [d, m], matrix));
    return { resident };
  };
  const norms = {
    encoder: scaled(latentNorms(weights.encoder, IN_MEMORY.encoder, m), weights.encoderScale),
    decoder: scaled(latentNorms(weights.decoder, IN_MEMORY.decoder, m), weights.decoderScale),
  };
  const held = { encoder: await hold("encoder"), decoder: await hold("decoder") };
  const { encoder: _encoder, decoder: _decoder, ...small } = weights;
  return new DenseSae(small, norms, held, runtime);
}

type SmallWeights = Omit<SaeWeights, "encoder" | "decoder">;
type ProgramName = "encode" | "projectDecoder" | "projectEncoder" | "decode" | "decoderRow";

/** The matrix that each program works on. */
const USES: Readonly<Record<ProgramName, MatrixName>> = {
  encode: "encoder",
  projectEncoder: "encoder",
  projectDecoder: "decoder",
  decode: "decoder",
  decoderRow: "decoder",
};

class DenseSae implements Sae {
  readonly info: SaeInfo;
  readonly #weights: SmallWeights;
  /** [m] each. */
  readonly #norms: Readonly<Record<MatrixName, Float32Array>>;
  readonly #held: Readonly<Record<MatrixName, HeldMatrix>>;
  readonly #runtime: Runtime;
  readonly #programs = new Map<ProgramName, Promise<Program>>();

  constructor(
    weights: SmallWeights,
    norms: Readonly<Record<MatrixName, Float32Array>>,
    held: Readonly<Record<MatrixName, HeldMatrix>>,
    runtime: Runtime,
  ) {
    this.info = weights.info;
    this.#weights = weights;
    this.#norms = norms;
    this.#held = held;
    this.#runtime = runtime;
  }

  async encode(rows: Float32Array): Promise<SparseLatents> {
    const { dModel: d, latents: m } = this.info;
    const { activation } = this.#weights;
    checkWidth(rows, d, "rows to encode");
    const block = Math.max(1, Math.floor(BLOCK_ELEMENTS / m));
    const sparse = new SparseRows();
    for (let at = 0; at < rows.length; at += block * d) {
      const x = encoderInput(rows.subarray(at, Math.min(rows.length, at + block * d)), this.#weights);
      const dense = await this.#run("encode", floats([x.length / d, d], x));
      if (activation.kind === "topk") sparse.addTopK(dense, m, activation.k);
      else if (activation.kind === "groupmax") sparse.addGroupMax(dense, m, activation.k);
      else sparse.addDense(dense, m);
    }
    const latents = sparse.finish();
    if (activation.kind === "topk" && activation.rescale === "selection")
      for (let at = 0; at < latents.ids.length; at++)
        latents.values[at] = latents.values[at]! / this.#norms.decoder[latents.ids[at]!]!;
    return latents;
  }

  async reconstruct(rows: Float32Array): Promise<{ latents: SparseLatents; rows: Float32Array }> {
    const { dModel: d, latents: m } = this.info;
    const { activation } = this.#weights;
    const latents = await this.encode(rows);
    // Rescaled latents are p · ‖decoder row‖, and such an SAE decodes with rows of unit norm.
    const rescaled = activation.kind === "topk" && activation.rescale === true;
    const norms = this.#norms.decoder;
    const f = rescaled
      ? { ...latents, values: latents.values.map((value, at) => value / norms[latents.ids[at]!]!) }
      : latents;
    const decoded = new Float32Array(rows.length);
    const n = rows.length / d;
    const block = Math.max(1, Math.floor(BLOCK_ELEMENTS / m));
    for (let from = 0; from < n; from += block)
      decoded.set(await this.decode(denseRows(f, m, from, Math.min(n, from + block))), from * d);
    return { latents, rows: decoderOutput(decoded, rows, this.#weights) };
  }

  async projectDecoder(v: Float32Array): Promise<Float32Array> {
    checkWidth(v, this.info.dModel, "vectors to project");
    return this.#run("projectDecoder", floats([v.length / this.info.dModel, this.info.dModel], v));
  }

  async projectEncoder(v: Float32Array): Promise<Float32Array> {
    checkWidth(v, this.info.dModel, "vectors to project");
    return this.#run("projectEncoder", floats([v.length / this.info.dModel, this.info.dModel], v));
  }

  async decode(z: Float32Array): Promise<Float32Array> {
    checkWidth(z, this.info.latents, "latents to decode");
    return this.#run("decode", floats([z.length / this.info.latents, this.info.latents], z));
  }

  async unitLengths(rows: () => Promise<Float32Array>): Promise<Float32Array | undefined> {
    const { activation, normalisation } = this.#weights;
    const byNorm = activation.kind === "topk" && activation.rescale === true;
    if (normalisation === "none" && !byNorm) return undefined;
    const length = normalisation === "none" ? 1 : meanLength(await rows(), this.#weights);
    // A row of zeros adds nothing, however often.
    return this.#norms.decoder.map((norm) => (!byNorm ? length : norm === 0 ? 0 : length / norm));
  }

  async decoderNorms(): Promise<Float32Array> {
    return this.#norms.decoder.slice();
  }

  async encoderNorms(): Promise<Float32Array> {
    return this.#norms.encoder.slice();
  }

  async decoderRow(id: number): Promise<Float32Array> {
    if (!Number.isInteger(id) || id < 0 || id >= this.info.latents) {
      throw new RangeError(`${this.info.name} has latents 0 … ${this.info.latents - 1}, not ${id}`);
    }
    const row = await this.#run("decoderRow", { type: "int64", dims: [1], data: BigInt64Array.of(BigInt(id)) });
    const scale = this.#weights.decoderScale?.[id];
    return scale === undefined ? row : row.map((x) => x * scale);
  }

  async close(): Promise<void> {
    for (const program of this.#programs.values()) await (await program).release();
    this.#programs.clear();
    await this.#runtime.drop(Object.values(this.#held).flatMap((held) => ("resident" in held ? [held.resident] : [])));
  }

  async #run(name: ProgramName, x: TensorData): Promise<Float32Array> {
    let program = this.#programs.get(name);
    if (program === undefined) {
      program = this.#runtime.compile(this.#graph(name));
      this.#programs.set(name, program);
    }
    const matrix = USES[name];
    const held = this.#held[matrix];
    const { y } = await (await program).run({ x, ...("resident" in held ? { [matrix]: held } : {}) });
    return y!.data as Float32Array;
  }

  #graph(name: ProgramName): Graph {
    const { dModel: d, latents: m } = this.info;
    const { encoderScale, decoderScale } = this.#weights;
    const graph = new Graph();
    const width = name === "decode" ? m : d;
    const x = name === "decoderRow" ? graph.input("x", "int64", [1]) : graph.input("x", "float32", ["N", width]);
    const matrix = this.#matrix(graph, USES[name]);
    const outputs: Record<ProgramName, () => Tensor> = {
      encode: () => this.#activation(times(matrix.toLatents(x), encoderScale)), // [N, m]
      projectEncoder: () => times(matrix.toLatents(x), encoderScale), // [N, m]
      projectDecoder: () => times(matrix.toLatents(x), decoderScale), // [N, m]
      decode: () => matrix.fromLatents(times(x, decoderScale)), // [N, d]
      decoderRow: () => matrix.pick(x), // [1, d]
    };
    graph.output("y", outputs[name]());
    return graph;
  }

  #matrix(graph: Graph, name: MatrixName): GraphMatrix {
    const { dModel, latents } = this.info;
    const held = this.#held[name];
    return "resident" in held
      ? residentMatrix(graph, name, IN_MEMORY[name], [dModel, latents])
      : mappedMatrix(graph, name, held, [dModel, latents]);
  }

  /** Latents from q = x' W_enc [N, m]; for topk and groupmax the values to choose from. */
  #activation(q: Tensor): Tensor {
    const { activation, encoderBias } = this.#weights;
    if (activation.kind === "gated") {
      const magnitude = add(
        mul(q, perLatent(q, "scale", activation.scale)),
        perLatent(q, "magnitude bias", activation.bias),
      );
      return where(greater(add(q, perLatent(q, "gate bias", activation.gateBias)), 0), relu(magnitude), 0);
    }
    const p = add(q, perLatent(q, "encoder bias", encoderBias));
    if (activation.kind === "relu") return relu(p);
    if (activation.kind === "jumprelu") return jumpRelu(p, activation.threshold);
    return activation.kind === "topk" && activation.rescale !== false
      ? mul(p, perLatent(q, "norms", this.#norms.decoder))
      : p;
  }
}

/** p where it is above its latent's threshold [m] and positive, else 0: in one pass where the thresholds allow it. */
function jumpRelu(p: Tensor, thresholds: Float32Array): Tensor {
  const [first = 0] = thresholds;
  if (first >= 0 && thresholds.every((threshold) => threshold === first)) return thresholdedRelu(p, first);
  const positive = thresholds.every((threshold) => threshold >= 0) ? p : relu(p);
  return where(greater(p, perLatent(p, "threshold", thresholds)), positive, 0);
}

/** A constant [m] in the graph of `near`. */
function perLatent({ graph }: Tensor, name: string, values: Float32Array): Tensor {
  return graph.initializer(name, "float32", [values.length], {
    bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  });
}

/** Latents [N, m], each times its factor where there are factors. */
function times(latents: Tensor, factors: Float32Array | undefined): Tensor {
  return factors === undefined ? latents : mul(latents, perLatent(latents, "factors", factors));
}

function scaled(norms: Float32Array, factors: Float32Array | undefined): Float32Array {
  return factors === undefined ? norms : norms.map((norm, j) => norm * Math.abs(factors[j]!));
}

function floats(dims: readonly number[], data: Float32Array): TensorData {
  return { type: "float32", dims, data };
}

function checkWidth(values: Float32Array, width: number, what: string): void {
  if (values.length % width !== 0) throw new RangeError(`${what}: ${values.length} numbers are not rows of ${width}`);
}
