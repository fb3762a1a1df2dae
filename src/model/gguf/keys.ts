/** Typed access to a GGUF file's metadata: every value is checked where it is asked for. */
import type { GgufMetadata, GgufValue } from "../../formats/gguf/metadata.js";
import { InputError, quote } from "../../formats/input-error.js";

export class Keys {
  constructor(
    readonly file: string,
    private readonly metadata: GgufMetadata,
  ) {}

  has(key: string): boolean {
    return this.metadata.has(key);
  }

  /** InputError: `key` holds something else than `wanted`. */
  refuse(key: string, wanted: string): never {
    const found = this.metadata.get(key);
    const shown =
      found === undefined ? "is missing" : Array.isArray(found) ? "is a list" : `is ${quote(String(found))}`;
    throw new InputError(`${this.file}: metadata key ${key} ${shown}; expected ${wanted}`);
  }

  #get<T extends GgufValue>(key: string, is: (value: GgufValue) => value is T, wanted: string): T | undefined {
    const value = this.metadata.get(key);
    return value === undefined || is(value) ? value : this.refuse(key, wanted);
  }

  #list<T extends GgufValue>(
    key: string,
    is: (value: GgufValue) => value is T,
    what: string,
  ): readonly T[] | undefined {
    const wanted = `a list of ${what}`;
    const value = this.#get(key, (v): v is readonly GgufValue[] => Array.isArray(v), wanted);
    return value === undefined || value.every(is) ? (value as readonly T[] | undefined) : this.refuse(key, wanted);
  }

  text(key: string): string | undefined {
    return this.#get(key, isText, "a text");
  }
  number(key: string): number | undefined {
    return this.#get(key, isNumber, "a number");
  }
  flag(key: string): boolean | undefined {
    return this.#get(key, (value) => typeof value === "boolean", "true or false");
  }
  texts(key: string): readonly string[] | undefined {
    return this.#list(key, isText, "texts");
  }
  numbers(key: string): readonly number[] | undefined {
    return this.#list(key, isNumber, "numbers");
  }

  /** A number that must be there. */
  needNumber(key: string): number {
    return this.number(key) ?? this.refuse(key, "a number");
  }
  needText(key: string): string {
    return this.text(key) ?? this.refuse(key, "a text");
  }
}

const isText = (value: GgufValue): value is string => typeof value === "string";
const isNumber = (value: GgufValue): value is number => typeof value === "number";
