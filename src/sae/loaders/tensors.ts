/** The tensors of an SAE in a safetensors file: shapes checked against the configuration, large matrices left in the file. */
import type { ByteSource } from "../../formats/byte-source.js";
import { bf16ToF32, f16ToF32 } from "../../formats/half.js";
import { InputError, quote, quoteAll } from "../../formats/input-error.js";
import {
  readFiniteF32,
  readSafetensorsHeader,
  readStoredRows,
  type SafetensorsHeader,
  type TensorEntry,
} from "../../formats/safetensors.js";
import { LatentSquares, type SaeMatrix } from "../matrix.js";

/** An SAE whose two matrices take no more than this as f32 is read into memory, where products need no casts. */
const IN_MEMORY_BYTES = 512 * 2 ** 20;
const MAPPABLE = { F32: "float32", F16: "float16", BF16: "bfloat16" } as const;

/** Width of the model and number of latents, as the configuration says. */
export interface SaeShape {
  readonly d: number;
  readonly m: number;
}

export interface SaeTensorOptions extends SaeShape {
  /** The file that says so, and its fields, for messages. */
  readonly config: string;
  readonly fields: string;
  /** Bytes of f32 up to which matrices are read into memory. */
  readonly inMemoryBytes?: number;
}

export class SaeTensors {
  readonly #source: ByteSource;
  readonly #header: SafetensorsHeader;
  readonly #options: SaeTensorOptions;

  private constructor(source: ByteSource, header: SafetensorsHeader, options: SaeTensorOptions) {
    this.#source = source;
    this.#header = header;
    this.#options = options;
  }

  /** Opens the header of `source`. InputError when it is not a safetensors file. */
  static async open(source: ByteSource, options: SaeTensorOptions): Promise<SaeTensors> {
    return new SaeTensors(source, await readSafetensorsHeader(source), options);
  }

  has(name: string): boolean {
    return this.#header.tensors.has(name);
  }

  names(): string[] {
    return [...this.#header.tensors.keys()];
  }

  /** InputError unless every tensor of the file is one of `known`; `kind`: what the configuration says it is. */
  expectOnly(known: readonly string[], kind: string): void {
    const strange = this.names().find((name) => !known.includes(name));
    if (strange !== undefined)
      throw new InputError(
        `${this.#source.name}: tensor ${quote(strange)} does not belong to ${kind}, which has ${quoteAll(known)}`,
      );
  }

  /** The only number of a tensor of shape [] or [1]. */
  async scalar(name: string): Promise<number> {
    const entry = this.#entry(name);
    if (entry.shape.some((length) => length !== 1) || entry.shape.length > 1)
      throw new InputError(
        `${this.#source.name}: ${name} has shape [${entry.shape.join(", ")}]; it must be one number`,
      );
    return (await readFiniteF32(this.#source, entry))[0]!;
  }

  /** A vector of d or m numbers. */
  async vector(name: string, length: number): Promise<Float32Array> {
    return readFiniteF32(this.#source, this.#shaped(name, [length]));
  }

  /**
   * The encoder or decoder, stored with latents as rows [m, d] or columns [d, m]: in memory as `SaeMatrix` says, or left in
   * its file where it is large and there is a file. InputError for a wrong shape, element type or values that are not finite.
   */
  async matrix(name: string, role: "encoder" | "decoder", latents: "rows" | "columns"): Promise<SaeMatrix> {
    const { d, m, inMemoryBytes = IN_MEMORY_BYTES } = this.#options;
    const entry = this.#shaped(name, latents === "rows" ? [m, d] : [d, m]);
    const { realPath } = this.#source;
    if (realPath !== undefined && entry.dtype in MAPPABLE && 8 * d * m > inMemoryBytes) {
      const dtype = MAPPABLE[entry.dtype as keyof typeof MAPPABLE];
      return { dtype, latents, file: realPath, offset: entry.begin, norms: await this.#norms(entry, latents) };
    }
    const values = await readFiniteF32(this.#source, entry);
    return latents === (role === "encoder" ? "columns" : "rows") ? values : transposed(values, entry.shape[1]!);
  }

  /** InputError where a value is not finite: every value is looked at here, for the last time before it is used. */
  async #norms(entry: TensorEntry, latents: "rows" | "columns"): Promise<Float32Array> {
    const squares = new LatentSquares(latents, entry.shape[1]!, this.#options.m);
    const squareOf = entry.dtype === "F32" ? undefined : halfSquares(entry.dtype === "F16" ? f16ToF32 : bf16ToF32);
    await readStoredRows(this.#source, entry, (rows) => squares.add(rows, squareOf));
    const norms = squares.norms();
    const bad = norms.findIndex((norm) => !Number.isFinite(norm));
    if (bad >= 0)
      throw new InputError(
        `${this.#source.name}: ${quote(entry.name)} holds a value that is not finite for latent ${bad}; weights must be finite, so the file is damaged`,
      );
    return norms;
  }

  #shaped(name: string, shape: readonly number[]): TensorEntry {
    const entry = this.#entry(name);
    if (entry.shape.length !== shape.length || entry.shape.some((length, axis) => length !== shape[axis]))
      throw new InputError(
        `${this.#source.name}: ${name} has shape [${entry.shape.join(", ")}]; ${this.#options.config} says [${shape.join(", ")}] (${this.#options.fields})`,
      );
    return entry;
  }

  #entry(name: string): TensorEntry {
    const entry = this.#header.tensors.get(name);
    if (entry === undefined) throw new InputError(`${this.#source.name}: tensor ${quote(name)} is missing`);
    return entry;
  }
}

/** The square of every half-precision number, by its bits. */
function halfSquares(widen: (bits: Uint16Array) => Float32Array): Float64Array {
  return Float64Array.from(widen(Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits)), (x) => x * x);
}

/** Rows of `width` as columns. */
function transposed(values: Float32Array, width: number): Float32Array {
  const rows = values.length / width;
  const out = new Float32Array(values.length);
  for (let r = 0; r < rows; r++) for (let i = 0; i < width; i++) out[i * rows + r] = values[r * width + i]!;
  return out;
}
