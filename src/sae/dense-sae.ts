/**
 * An SAE whose matrices are resident in a runtime. Every product with the encoder or decoder is a graph there; the
 * matrices are held once, however many graphs use them.
 */
import type { Program, Runtime, TensorData } from "../engine/runtime.js";
import { add, Graph, gatherRows, greater, linear, mul, product, relu, type Tensor, where } from "../graph/index.js";
import type { Sae, SaeInfo, SparseLatents } from "./sae.js";
import { SparseRows } from "./sparse.js";
import { encoderInput, type SaeWeights } from "./weights.js";

/**
 * Elements of one dense [rows, latents] block: 64 MiB of f32, large enough that a matrix product runs at full speed (128
 * rows at 131,072 latents) and small beside the matrices.
 */
const BLOCK_ELEMENTS = 2 ** 24;

/** Distinguishes the resident tensors of SAEs that share a runtime. */
let opened = 0;

/**
 * Puts the matrices into `runtime` and returns the SAE. The weights' arrays are given away: do not use them afterwards.
 * `close` forgets the matrices and leaves the runtime open.
 */
export async function openDenseSae(weights: SaeWeights, runtime: Runtime): Promise<Sae> {
  const { dModel: d, latents: m } = weights.info;
  const prefix = `sae${opened++}`;
  const names = { encoder: `${prefix}/encoder`, decoder: `${prefix}/decoder` };
  const norms = { encoder: columnNorms(weights.encoder, m), decoder: rowNorms(weights.decoder, d) };
  await runtime.put(names.encoder, floats([d, m], weights.encoder));
  await runtime.put(names.decoder, floats([m, d], weights.decoder));
  const { encoder: _encoder, decoder: _decoder, ...small } = weights;
  return new DenseSae(small, norms, names, runtime);
}

/** [m] each; kept apart because the matrices are given away. */
interface Norms {
  readonly encoder: Float32Array;
  readonly decoder: Float32Array;
}

type SmallWeights = Omit<SaeWeights, "encoder" | "decoder">;
type ProgramName = "encode" | "projectDecoder" | "projectEncoder" | "decode" | "decoderRow";

class DenseSae implements Sae {
  readonly info: SaeInfo;
  readonly #weights: SmallWeights;
  readonly #norms: Norms;
  readonly #names: { encoder: string; decoder: string };
  readonly #runtime: Runtime;
  readonly #programs = new Map<ProgramName, Promise<Program>>();

  constructor(weights: SmallWeights, norms: Norms, names: { encoder: string; decoder: string }, runtime: Runtime) {
    this.info = weights.info;
    this.#weights = weights;
    this.#norms = norms;
    this.#names = names;
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
      else sparse.addDense(dense, m);
    }
    return sparse.finish();
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
    return this.#run("decoderRow", { type: "int64", dims: [1], data: BigInt64Array.of(BigInt(id)) });
  }

  async close(): Promise<void> {
    for (const program of this.#programs.values()) await (await program).release();
    this.#programs.clear();
    await this.#runtime.drop(Object.values(this.#names));
  }

  async #run(name: ProgramName, x: TensorData): Promise<Float32Array> {
    let program = this.#programs.get(name);
    if (program === undefined) {
      program = this.#runtime.compile(this.#graph(name));
      this.#programs.set(name, program);
    }
    const matrix = name === "encode" || name === "projectEncoder" ? "encoder" : "decoder";
    const { y } = await (await program).run({ x, [matrix]: { resident: this.#names[matrix] } });
    return y!.data as Float32Array;
  }

  #graph(name: ProgramName): Graph {
    const { dModel: d, latents: m } = this.info;
    const graph = new Graph();
    const width = name === "decode" ? m : d;
    const x = name === "decoderRow" ? graph.input("x", "int64", [1]) : graph.input("x", "float32", ["N", width]);
    const encoder = () => graph.input("encoder", "float32", [d, m]);
    const decoder = () => graph.input("decoder", "float32", [m, d]);
    const outputs: Record<ProgramName, () => Tensor> = {
      encode: () => this.#activation(product(x, encoder())), // [N, m]
      projectDecoder: () => linear(x, decoder()), // [N, m]
      projectEncoder: () => product(x, encoder()), // [N, m]
      decode: () => product(x, decoder()), // [N, d]
      decoderRow: () => gatherRows(decoder(), x), // [1, d]
    };
    graph.output("y", outputs[name]());
    return graph;
  }

  /** Latents from q = x' W_enc [N, m]; for topk the values to choose from. */
  #activation(q: Tensor): Tensor {
    const { graph } = q;
    const { activation, encoderBias } = this.#weights;
    const perLatent = (name: string, values: Float32Array) =>
      graph.initializer(name, "float32", [values.length], {
        bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
      });
    if (activation.kind === "gated") {
      const magnitude = add(mul(q, perLatent("scale", activation.scale)), perLatent("bias", activation.bias));
      return where(greater(add(q, perLatent("gate", activation.gateBias)), 0), relu(magnitude), 0);
    }
    const p = add(q, perLatent("bias", encoderBias));
    if (activation.kind === "relu") return relu(p);
    if (activation.kind === "jumprelu")
      return where(greater(p, perLatent("threshold", activation.threshold)), relu(p), 0);
    return activation.rescale ? mul(p, perLatent("norms", this.#norms.decoder)) : p;
  }
}

function floats(dims: readonly number[], data: Float32Array): TensorData {
  return { type: "float32", dims, data };
}

function rowNorms(matrix: Float32Array, width: number): Float32Array {
  return Float32Array.from({ length: matrix.length / width }, (_, row) => {
    let squares = 0;
    for (let i = row * width; i < (row + 1) * width; i++) squares += matrix[i]! * matrix[i]!;
    return Math.sqrt(squares);
  });
}

/** Norms of the columns, row after row: the order in which the matrix lies in memory. */
function columnNorms(matrix: Float32Array, width: number): Float32Array {
  const squares = new Float64Array(width);
  for (let row = 0; row < matrix.length; row += width)
    for (let j = 0; j < width; j++) squares[j] = squares[j]! + matrix[row + j]! * matrix[row + j]!;
  return Float32Array.from(squares, Math.sqrt);
}

function checkWidth(values: Float32Array, width: number, what: string): void {
  if (values.length % width !== 0) throw new RangeError(`${what}: ${values.length} numbers are not rows of ${width}`);
}
