/** The tensors of an SAE in a safetensors file: shapes checked against the configuration, large matrices left in the file. */
import type { ByteSource } from "../../formats/byte-source.js";
import { InputError, quote, quoteAll } from "../../formats/input-error.js";
import {
  readFiniteF32,
  readSafetensorsHeader,
  type SafetensorsHeader,
  type TensorEntry,
} from "../../formats/safetensors.js";
import type { SaeMatrix } from "../matrix.js";
import { readSaeMatrix } from "./stored-matrix.js";

/** Width of the model and number of latents, as the configuration says. */
export interface SaeShape {
  readonly d: number;
  readonly m: number;
}

export interface SaeTensorOptions extends SaeShape {
  /** The file that says so, and its fields, for messages. */
  readonly config: string;
  readonly fields: string;
  /** Bytes of f32 up to which matrices are read into memory (stored-matrix.ts). */
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
    const { d, m, inMemoryBytes } = this.#options;
    const entry = this.#shaped(name, latents === "rows" ? [m, d] : [d, m]);
    return readSaeMatrix({ source: this.#source, entry }, role, latents, inMemoryBytes);
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
