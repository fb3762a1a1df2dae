/** The tensors of an SAE in an npz or torch file, by name, with their shapes checked. d = width of the model, m = latents. */
import { InputError, quote, quoteAll } from "../../formats/input-error.js";
import { type LocatedTensor, readFiniteF32, readIntegers } from "../../formats/tensor-file.js";
import type { SaeMatrix } from "../matrix.js";
import { readSaeMatrix } from "./stored-matrix.js";

/** Names that a message lists at most. */
const SHOWN_NAMES = 8;

export class ContainerTensors {
  /** `file` is what to call the file in messages, `kind` what it should hold. */
  constructor(
    readonly file: string,
    readonly kind: string,
    private readonly tensors: ReadonlyMap<string, LocatedTensor>,
  ) {}

  has(name: string): boolean {
    return this.tensors.has(name);
  }

  names(): string[] {
    return [...this.tensors.keys()];
  }

  /** InputError unless the file has every one of `needed`, and beside them only what is `optional`. */
  expectOnly(needed: readonly string[], optional: readonly string[] = []): void {
    const missing = needed.find((name) => !this.has(name));
    if (missing !== undefined)
      throw new InputError(
        `${this.file}: tensor ${quote(missing)} is missing; ${this.kind} has ${quoteAll(needed)}, the file ${this.#shown()}`,
      );
    const strange = this.names().find((name) => !needed.includes(name) && !optional.includes(name));
    if (strange !== undefined)
      throw new InputError(
        `${this.file}: tensor ${quote(strange)} does not belong to ${this.kind}, which has ${quoteAll(needed)}`,
      );
  }

  /** Rows and columns of a matrix. */
  matrixShape(name: string): readonly [number, number] {
    const { shape } = this.#tensor(name).entry;
    if (shape.length !== 2 || shape.includes(0))
      throw new InputError(
        `${this.file}: ${name} has shape [${shape.join(", ")}]; a matrix would be right (crosscoders, which read several layers, are not supported)`,
      );
    return shape as [number, number];
  }

  /** A vector of this length. */
  async read(name: string, length: number): Promise<Float32Array> {
    const { source, entry } = this.#shaped(name, [length]);
    return readFiniteF32(source, entry);
  }

  /** The encoder or decoder, stored with latents as rows [m, d] or columns [d, m]; a large one is left in its file where it can be. */
  async matrix(
    name: string,
    role: "encoder" | "decoder",
    latents: "rows" | "columns",
    { dModel: d, latents: m }: { readonly dModel: number; readonly latents: number },
  ): Promise<SaeMatrix> {
    return readSaeMatrix(this.#shaped(name, latents === "rows" ? [m, d] : [d, m]), role, latents);
  }

  /** The only number of a tensor of shape [] or [1]. */
  async scalar(name: string): Promise<number> {
    const { source, entry } = this.#tensor(name);
    const { shape } = entry;
    return (await readFiniteF32(source, shape.length === 0 ? entry : this.#shaped(name, [1]).entry))[0]!;
  }

  /** Whole numbers: one, or a short list. */
  integers(name: string): Promise<number[]> {
    return readIntegers(this.#tensor(name));
  }

  #shaped(name: string, wanted: readonly number[]): LocatedTensor {
    const tensor = this.#tensor(name);
    const { shape } = tensor.entry;
    if (shape.length !== wanted.length || shape.some((length, axis) => length !== wanted[axis]))
      throw new InputError(
        `${this.file}: ${name} has shape [${shape.join(", ")}]; [${wanted.join(", ")}] would fit the other tensors`,
      );
    return tensor;
  }

  #tensor(name: string): LocatedTensor {
    const tensor = this.tensors.get(name);
    if (tensor === undefined)
      throw new InputError(`${this.file}: tensor ${quote(name)} is missing; the file ${this.#shown()}`);
    return tensor;
  }

  /** What the file has, for messages. */
  #shown(): string {
    const names = this.names();
    return `has ${quoteAll(names.slice(0, SHOWN_NAMES))}${names.length > SHOWN_NAMES ? ", …" : ""}`;
  }
}
