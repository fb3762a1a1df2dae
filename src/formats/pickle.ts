/**
 * A pickle reader that runs nothing: the opcodes that a pickle of tensors needs, over plain values. What a name stands for, and
 * what calling it makes, is decided by the caller; a name that it does not know ends the reading. Opcodes:
 * https://github.com/python/cpython/blob/main/Lib/pickletools.py; the choice is that of torch's weights-only reader.
 *
 * Lists, tuples and sets become arrays, dicts become Maps, whole numbers beyond 2^53 bigints. Values may refer to themselves:
 * whoever looks into them must not follow them without end.
 */
import { InputError } from "./input-error.js";

/** One opcode takes at least a byte, and a checkpoint some 60 opcodes a tensor: room for a shard of 60,000 tensors. */
const MAX_STEPS = 4_000_000;
/** Lists, tuples and dicts made; a checkpoint has about five a tensor. An empty Map takes some 200 bytes. */
const MAX_CONTAINERS = 1_000_000;

/** What names in a pickle mean. Both functions throw InputError for what they do not know. */
export interface PickleNames {
  /** The value of a global name. */
  find(module: string, name: string): unknown;
  /** What calling `callable` on `args` makes. Nothing is to be executed: this is a table of known constructors. */
  call(callable: unknown, args: readonly unknown[]): unknown;
  /** What a persistent id stands for. */
  persistent(id: unknown): unknown;
}

/** A value, and the offset of the byte after it. */
export interface Unpickled {
  readonly value: unknown;
  readonly end: number;
}

const MARK = Symbol("mark");
const utf8 = new TextDecoder();

/** Reads one pickle from byte `start` of `bytes`. InputError, with `where` in front, for whatever is not plain data. */
export function readPickle(bytes: Uint8Array, names: PickleNames, where: string, start = 0): Unpickled {
  return new Reader(bytes, names, where, start).run();
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #names: PickleNames;
  readonly #where: string;
  readonly #stack: unknown[] = [];
  readonly #memo = new Map<number, unknown>();
  #at: number;
  #containers = 0;

  constructor(bytes: Uint8Array, names: PickleNames, where: string, start: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#names = names;
    this.#where = where;
    this.#at = start;
  }

  run(): Unpickled {
    for (let step = 0; step < MAX_STEPS; step++) {
      const at = this.#at;
      const opcode = this.#view.getUint8(this.#take(1));
      if (opcode === 0x2e /* STOP */) return { value: this.#pop(), end: this.#at };
      const run = OPCODES[opcode];
      if (run === undefined)
        this.fail(`opcode 0x${opcode.toString(16)} at byte ${at} is none that a pickle of tensors needs`);
      run(this);
    }
    this.fail(`it takes more than ${MAX_STEPS} steps`);
  }

  // What the opcodes are made of.

  u8 = () => this.#view.getUint8(this.#take(1));
  u16 = () => this.#view.getUint16(this.#take(2), true);
  i32 = () => this.#view.getInt32(this.#take(4), true);
  u32 = () => this.#view.getUint32(this.#take(4), true);
  f64 = () => this.#view.getFloat64(this.#take(8), false); // the one number that pickle writes big-endian

  text(length: number): string {
    const at = this.#take(length);
    return utf8.decode(this.#bytes.subarray(at, at + length));
  }

  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) this.fail("a name has no end");
    const text = this.text(end - this.#at);
    this.#at++;
    return text;
  }

  /** A whole number of `length` bytes, little-endian two's complement. */
  long(length: number): number | bigint {
    const at = this.#take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#bytes[at + i]!);
    value = BigInt.asIntN(8 * length, value);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  push(value: unknown): void {
    if (typeof value === "object" && value !== null && ++this.#containers > MAX_CONTAINERS)
      this.fail(`it makes more than ${MAX_CONTAINERS} lists, tuples and objects`);
    this.#stack.push(value);
  }

  mark = () => this.#stack.push(MARK);

  /** Everything above the last mark, in order; the mark is taken away. */
  popToMark(): unknown[] {
    const mark = this.#stack.lastIndexOf(MARK);
    if (mark < 0) this.fail("a list has no beginning");
    const items = this.#stack.splice(mark);
    items.shift();
    return items;
  }

  popMany(count: number): unknown[] {
    return Array.from({ length: count }, () => this.#pop()).reverse();
  }

  append(items: readonly unknown[]): void {
    const list = this.#top();
    if (!Array.isArray(list)) this.fail("it appends to something that is no list");
    for (const item of items) list.push(item);
  }

  set(items: readonly unknown[]): void {
    const dict = this.#top();
    if (!(dict instanceof Map) || items.length % 2 !== 0) this.fail("it sets items of something that is no dict");
    for (let i = 0; i < items.length; i += 2) dict.set(items[i], items[i + 1]);
  }

  memoize(index = this.#memo.size): void {
    this.#memo.set(index, this.#top());
  }

  recall(index: number): void {
    if (!this.#memo.has(index)) this.fail(`it refers to value ${index}, which it never made`);
    this.#stack.push(this.#memo.get(index));
  }

  global(module: unknown, name: unknown): void {
    if (typeof module !== "string" || typeof name !== "string") this.fail("a global name is not text");
    this.#stack.push(this.#names.find(module, name));
  }

  call(): void {
    const [callable, args] = this.popMany(2);
    if (!Array.isArray(args)) this.fail("it calls something with what is no tuple");
    this.push(this.#names.call(callable, args));
  }

  persistent(): void {
    this.#stack.push(this.#names.persistent(this.#pop()));
  }

  /** Attributes of an OrderedDict (a state dict's `_metadata`) say nothing about its tensors; other objects have none here. */
  build(): void {
    this.#pop();
    if (!(this.#top() instanceof Map)) this.fail("it changes an object after making it");
  }

  fail(what: string): never {
    throw new InputError(
      `${this.#where}: ${what}; the pickle is damaged or not a saved state dict, save or download it again`,
    );
  }

  /** Moves on by `length` bytes and returns where they begin. */
  #take(length: number): number {
    const at = this.#at;
    if (at + length > this.#bytes.length) this.fail("it ends in the middle");
    this.#at = at + length;
    return at;
  }

  #pop(): unknown {
    const value = this.#top();
    this.#stack.pop();
    return value;
  }

  #top(): unknown {
    const value = this.#stack.at(-1);
    if (this.#stack.length === 0 || value === MARK) this.fail("it uses a value that is not there");
    return value;
  }
}

const OPCODES: Readonly<Record<number, (reader: Reader) => void>> = {
  128: (r) => r.u8(), // PROTO
  149: (r) => r.text(8), // FRAME: a length that readers may ignore
  40: (r) => r.mark(), // MARK
  125: (r) => r.push(new Map()), // EMPTY_DICT
  93: (r) => r.push([]), // EMPTY_LIST
  41: (r) => r.push([]), // EMPTY_TUPLE
  143: (r) => r.push([]), // EMPTY_SET
  116: (r) => r.push(r.popToMark()), // TUPLE
  133: (r) => r.push(r.popMany(1)), // TUPLE1
  134: (r) => r.push(r.popMany(2)), // TUPLE2
  135: (r) => r.push(r.popMany(3)), // TUPLE3
  78: (r) => r.push(null), // NONE
  136: (r) => r.push(true), // NEWTRUE
  137: (r) => r.push(false), // NEWFALSE
  74: (r) => r.push(r.i32()), // BININT
  75: (r) => r.push(r.u8()), // BININT1
  77: (r) => r.push(r.u16()), // BININT2
  138: (r) => r.push(r.long(r.u8())), // LONG1
  71: (r) => r.push(r.f64()), // BINFLOAT
  88: (r) => r.push(r.text(r.u32())), // BINUNICODE
  140: (r) => r.push(r.text(r.u8())), // SHORT_BINUNICODE
  85: (r) => r.push(r.text(r.u8())), // SHORT_BINSTRING, of Python 2
  99: (r) => r.global(r.line(), r.line()), // GLOBAL
  147: (r) => r.global(...(r.popMany(2) as [unknown, unknown])), // STACK_GLOBAL
  82: (r) => r.call(), // REDUCE
  129: (r) => r.call(), // NEWOBJ
  98: (r) => r.build(), // BUILD
  81: (r) => r.persistent(), // BINPERSID
  113: (r) => r.memoize(r.u8()), // BINPUT
  114: (r) => r.memoize(r.u32()), // LONG_BINPUT
  148: (r) => r.memoize(), // MEMOIZE
  104: (r) => r.recall(r.u8()), // BINGET
  106: (r) => r.recall(r.u32()), // LONG_BINGET
  115: (r) => r.set(r.popMany(2)), // SETITEM
  117: (r) => r.set(r.popToMark()), // SETITEMS
  97: (r) => r.append(r.popMany(1)), // APPEND
  101: (r) => r.append(r.popToMark()), // APPENDS
};
