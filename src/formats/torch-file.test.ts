import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { ByteSource } from "./byte-source.js";
import { InputError } from "./input-error.js";
import { memorySource } from "./memory-source.js";
import { readSafetensorsHeader } from "./safetensors.js";
import { isPlain, readIntegers, readTensorF32, transposed } from "./tensor-file.js";
import { readTorchFile } from "./torch-file.js";
import { concat, zipSource } from "./zip.testing.js";

/** Written by torch through test/goldens/containers.py; what it holds, as safetensors. */
const bytesOf = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../test/goldens/containers/${name}`, import.meta.url)));
const golden = (name: string): ByteSource => memorySource(name, bytesOf(name));

describe("torch files", () => {
  const files = ["views.pt", "deflated.pt", "protocol4.pt", "legacy.pt", "legacy-protocol4.pt"];
  it.each(files)("%s: every tensor as torch has it", async (file) => {
    const found = await readTorchFile(golden(file));
    const truth = golden("torch.safetensors");
    const { tensors } = await readSafetensorsHeader(truth);
    expect(tensors.size).toBe(14);
    for (const [name, entry] of tensors) {
      const tensor = found.get(name)!;
      expect(tensor.entry.shape, name).toEqual(entry.shape);
      expect(await readTensorF32(tensor.source, tensor.entry), name).toEqual(await readTensorF32(truth, entry));
    }
    expect(await readIntegers(found.get("k")!)).toEqual([7]);
    expect(await readIntegers(found.get("groups")!)).toEqual([2 ** 40, -3]);
    expect(await readIntegers(found.get("bytes")!)).toEqual([0, 1, 2, 3, 4]);
    expect(await readIntegers(found.get("every")!)).toEqual([0, 2, 4]);
    await expect(readIntegers(found.get("scalar")!)).rejects.toThrow(/F32 \[\]; whole numbers/);
    expect([...found.keys()].filter((name) => ["note", "step", "rates"].includes(name))).toEqual([]);
  });

  it.each(["views.pt", "legacy.pt"])(
    "%s: plain tensors stay where they can be mapped, tied ones once",
    async (file) => {
      const source = golden(file);
      const found = await readTorchFile(source);
      const entry = (name: string) => found.get(name)!.entry;
      for (const name of ["whole", "tail", "tied.a", "bf16", "f64"]) {
        expect(found.get(name)!.source).toBe(source);
        expect(isPlain(entry(name)), name).toBe(true);
      }
      for (const name of ["transposed", "columns", "cube", "expanded", "f16"])
        expect(isPlain(entry(name)), name).toBe(false);
      expect(entry("tied.b").begin).toBe(entry("tied.a").begin);
      if (file === "views.pt") expect(entry("whole").begin % 64).toBe(0);
    },
  );

  it("reads transposed matrices as they are seen, and back", async () => {
    const found = await readTorchFile(golden("views.pt"));
    const back = transposed(found.get("transposed")!);
    expect(isPlain(back.entry)).toBe(true);
    expect(back.entry).toEqual({ ...found.get("whole")!.entry, name: "transposed" });
  });

  it("reads the bytes of a big-endian machine", async () => {
    const found = await readTorchFile(golden("big.pt"));
    const plain = await readTorchFile(golden("views.pt"));
    const values = (tensors: typeof found, name: string) =>
      readTensorF32(tensors.get(name)!.source, tensors.get(name)!.entry);
    expect(await values(found, "x")).toEqual(await values(plain, "whole"));
    expect(await values(found, "x.T")).toEqual(await values(plain, "transposed"));
    expect(await values(found, "h")).toEqual(await values(plain, "tied.a"));
    expect(await readIntegers(found.get("k")!)).toEqual([7]);
  });

  it("strips what torch.compile puts before names", async () => {
    expect([...(await readTorchFile(golden("compiled.pt"))).keys()]).toEqual(["linear.weight", "linear.bias"]);
  });

  it("knows newer dtypes, and says where they are no weights", async () => {
    const found = await readTorchFile(golden("newer.pt"));
    expect(found.get("x")!.entry).toMatchObject({ dtype: "F8_E4M3", shape: [2, 2] });
    expect(await readIntegers(found.get("unsigned")!)).toEqual([1, 1]);
    const { source, entry } = found.get("x")!;
    await expect(readTensorF32(source, entry)).rejects.toThrow(/"x" is F8_E4M3; weights are read from F32/);
  });

  it("gathers what no single read holds", async () => {
    // 5,000 × 3,000 f32 are 57 MiB: several reads of 16 MiB; every value says where it stands.
    const [rows, columns] = [5000, 3000];
    const values = Float32Array.from({ length: rows * columns }, (_, i) => i % 16_777_216);
    const source = memorySource("large", new Uint8Array(values.buffer));
    const entry = { name: "x", dtype: "F32" as const, shape: [rows, columns], begin: 0, end: values.byteLength };
    const turned = transposed({ source, entry });
    const out = await readTensorF32(source, turned.entry);
    for (let i = 0; i < rows; i += 7)
      for (let j = 0; j < columns; j += 11)
        if (out[j * rows + i] !== values[i * columns + j]) throw new Error(`element ${i}, ${j} is wrong`);
    // Every other row and every third column, last first axis: strides that leave gaps.
    const sparse = { ...entry, shape: [1000, 2, 2500], strides: [3, 1, 2 * columns] };
    const part = await readTensorF32(source, sparse);
    for (const [a, b, c] of [
      [0, 0, 0],
      [999, 1, 2499],
      [17, 1, 1234],
    ] as const)
      expect(part[(a * 2 + b) * 2500 + c]).toBe(values[a * 3 + b + c * 2 * columns]);
  });
});

const refuses = async (source: ByteSource, message: RegExp) => {
  const error = await readTorchFile(source).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(InputError);
  expect((error as Error).message).toMatch(message);
  expect((error as Error).message.split("\n")).toHaveLength(1);
  expect((error as Error).message.length).toBeLessThan(400);
};

describe("what torch saved but is no state dict", () => {
  it.each<[string, RegExp]>([
    ["script.pt", /is a TorchScript archive, which is a program; save the state dict/],
    ["module.pt", /asks for "__main__\.Module", which is no part of a state dict; nothing in it was executed/],
    ["../prompts.json", /is not a file that torch\.save wrote/],
    ["stored.npz", /a zip archive with 0 data\.pkl/],
  ])("%s", (file, message) => refuses(golden(file), message));
});

// Hostile pickles, opcode by opcode (pickletools' names).
const ascii = (text: string) => new TextEncoder().encode(text);
const bytes = (...parts: (number | string | Uint8Array)[]) =>
  concat(
    parts.map((part) =>
      typeof part === "number" ? Uint8Array.of(part) : typeof part === "string" ? ascii(part) : part,
    ),
  );
const u32 = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);
const text = (value: string) => bytes("X", u32(value.length), value);
const int = (value: number) => bytes("J", u32(value));
const long = (value: bigint) => bytes(0x8a, 8, new Uint8Array(BigUint64Array.of(value).buffer));
const tuple = (...items: Uint8Array[]) => bytes("(", ...items, "t");
const name = (module: string, item: string) => bytes("c", module, "\n", item, "\n");
const pickle = (...parts: Parameters<typeof bytes>) => bytes(0x80, 2, ...parts, ".");
const storage = (count = int(4), type = "FloatStorage") =>
  bytes(tuple(text("storage"), name("torch", type), text("0"), text("cpu"), count), "Q");
const tensor = (offset: Uint8Array, size: Uint8Array[], strides: Uint8Array[], of = storage()) =>
  bytes(
    name("torch._utils", "_rebuild_tensor_v2"),
    tuple(of, offset, tuple(...size), tuple(...strides), bytes(0x89), bytes("}")),
    "R",
  );
const dict = (value: Uint8Array) => bytes("}", text("x"), value, "s");
const archive = (pickled: Uint8Array, data = new Uint8Array(16), more: Record<string, string> = {}) =>
  zipSource("x.pt", { "x/data.pkl": pickled, "x/data/0": data, ...more });

describe("hostile torch files", () => {
  it("reads the tensor that they are made of", async () => {
    const values = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
    const found = await readTorchFile(
      archive(pickle(dict(tensor(int(0), [int(2), int(2)], [int(1), int(2)]))), values),
    );
    const { source, entry } = found.get("x")!;
    expect([...(await readTensorF32(source, entry))]).toEqual([1, 3, 2, 4]);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ["os.system", pickle(name("os", "system"), tuple(text("touch /tmp/owned")), "R"), /asks for "os\.system"/],
    ["eval", pickle(text("builtins"), text("eval"), 0x93), /asks for "builtins\.eval"/],
    ["a name found in every object", pickle(name("constructor", "constructor")), /"constructor\.constructor"/],
    ["a name of control characters", pickle(name("a\u001b[2J", "b\r")), /asks for "a\\u001b/],
    ["a name without an end", bytes(0x80, 2, "cos"), /a name has no end/],
    ["a call of what is no constructor", pickle(name("torch", "FloatStorage"), ")R"), /no constructor/],
    ["a call of text", pickle(text("eval"), ")R"), /no constructor/],
    ["a call with no arguments", pickle(name("torch._utils", "_rebuild_tensor_v2"), ")R"), /not described by storage/],
    ["an opcode of protocol 0", pickle("I1\n"), /opcode 0x49 at byte 2/],
    ["an extension", pickle(0x82, 1), /opcode 0x82/],
    ["a value that is not there", pickle("0"), /opcode 0x30/],
    ["nothing to stop on", pickle(), /a value that is not there/],
    ["a mark as a value", pickle("("), /a value that is not there/],
    ["a list without beginning", pickle("t"), /a list has no beginning/],
    ["a dangling memo", pickle("h", 5), /refers to value 5, which it never made/],
    ["a huge text", pickle("X", u32(0xffffffff), "abc"), /ends in the middle/],
    ["a huge number", pickle(0x8a, 255, "abc"), /ends in the middle/],
    ["no end", bytes(0x80, 2, "}"), /ends in the middle/],
    ["items of a list", pickle("]", text("a"), text("b"), "s"), /no dict/],
    ["a key without value", pickle("}", "(", text("a"), "u"), /no dict/],
    ["an append to a dict", pickle("}", text("a"), "a"), /no list/],
    ["a changed tensor", pickle(tensor(int(0), [], []), "}b"), /changes an object after making it/],
    ["millions of lists", bytes(0x80, 2, "]".repeat(1_500_000), "."), /more than 1000000 lists/],
    ["millions of steps", bytes(0x80, 2, "N".repeat(4_500_000), "."), /more than 4000000 steps/],
    ["a list that holds itself", pickle("]q", 0, "h", 0, "a"), /holds no dict of tensors/],
    ["a dict that holds itself", pickle("}q", 0, text("x"), "h", 0, "s"), /holds no tensors by name/],
    [
      "a dict of pairs that are none",
      pickle(name("collections", "OrderedDict"), tuple(bytes("](K", 1, "e")), "R"),
      /pairs/,
    ],
    [
      "a shape that holds itself",
      pickle(dict(tensor(int(0), [bytes("]q", 0, "h", 0, "a")], [int(1)]))),
      /not described/,
    ],
    ["a storage of another kind", pickle(tuple(text("module"), text("0")), "Q"), /a storage is not described/],
    [
      "a storage that is a view",
      pickle(
        bytes(
          tuple(
            text("storage"),
            name("torch", "FloatStorage"),
            text("0"),
            text("cpu"),
            int(4),
            tuple(text("1"), int(0), int(1)),
          ),
          "Q",
        ),
      ),
      /is a view of another/,
    ],
    ["a negative size", pickle(dict(tensor(int(0), [int(-1)], [int(1)]))), /not described by storage/],
    ["a negative stride", pickle(dict(tensor(int(3), [int(4)], [int(-1)]))), /not described by storage/],
    ["a size beyond numbers", pickle(dict(tensor(int(0), [long(2n ** 62n)], [int(0)]))), /not described/],
    ["a size without stride", pickle(dict(tensor(int(0), [int(4)], []))), /not described by storage/],
    [
      "a tensor beyond its storage",
      pickle(dict(tensor(int(0), [int(5)], [int(1)]))),
      /reaches beyond its storage of 16 bytes/,
    ],
    ["an offset beyond its storage", pickle(dict(tensor(int(4), [int(1)], [int(1)]))), /reaches beyond its storage/],
    ["strides beyond its storage", pickle(dict(tensor(int(0), [int(2), int(2)], [int(2), int(2)]))), /reaches beyond/],
    [
      "a tensor of 2^60 elements",
      pickle(dict(tensor(int(0), [int(2 ** 30), int(2 ** 30)], [int(0), int(0)]))),
      /repeats 16 bytes to the shape/,
    ],
    [
      "a storage larger than its bytes",
      pickle(dict(tensor(int(0), [int(5)], [int(1)], storage(int(5))))),
      /should have 20 bytes but has 16/,
    ],
    [
      "a storage of 2^53 elements",
      pickle(dict(tensor(int(0), [int(1)], [int(1)], storage(long(2n ** 53n - 1n))))),
      /should have/,
    ],
    ["no tensors", pickle(dict(int(3))), /holds no tensors by name/],
    ["a tensor alone", pickle(tensor(int(0), [], [])), /holds no dict of tensors/],
    ["a name that is no text", pickle("}", int(1), tensor(int(0), [], []), "s"), /holds no tensors by name/],
    [
      "one name with and without prefix",
      pickle("}(", text("x"), tensor(int(0), [], []), text("_orig_mod.x"), tensor(int(0), [], []), "u"),
      /"x" is there twice/,
    ],
  ])("%s", (_, pickled, message) => refuses(archive(pickled), message));

  it("archives that lack or contradict something", async () => {
    const good = pickle(dict(tensor(int(0), [int(4)], [int(1)])));
    await refuses(zipSource("x.pt", { "x/data.pkl": good }), /storage "0" is missing/);
    await refuses(archive(good, undefined, { "y/data.pkl": "" }), /a zip archive with 2 data\.pkl/);
    await refuses(archive(good, undefined, { "x/byteorder": "middle" }), /byteorder says "middle"/);
    await refuses(
      archive(good, undefined, { "x/byteorder": "big ".repeat(100) }),
      /byteorder" has 400 bytes; at most 16/,
    );
    await refuses(archive(good, undefined, { "x/constants.pkl": "" }), /TorchScript/);
    await refuses(archive(new Uint8Array(17_000_000)), /data\.pkl" has \d+ bytes; at most/);
    await refuses(memorySource("x.pt", ascii("PK, but no archive")), /zip archive is damaged/);
    await refuses(memorySource("x.pt", new Uint8Array(0)), /is not a file that torch\.save wrote/);
  });

  it("legacy files that lack or contradict something", async () => {
    const file = bytesOf("legacy.pt");
    const legacy = (change: (file: Uint8Array) => Uint8Array) => memorySource("x.pt", change(file.slice()));
    for (const length of [1, 10, 40, 900, file.length - 20]) {
      const cut = legacy((whole) => whole.subarray(0, length));
      await refuses(cut, /^x\.pt: .*(ends in the middle|download it again|cut short)/);
    }
    await refuses(
      legacy((whole) => whole.fill(0x55, 4, 8)),
      /a pickle, but not one that torch\.save wrote/,
    );
    const little = new TextDecoder("latin1").decode(file).indexOf("little_endian");
    const big = legacy((whole) => whole.fill(0x89, little + 15, little + 16));
    await refuses(big, /big-endian machine before torch 1\.6/);
    await refuses(memorySource("x.pt", pickle(name("os", "system"))), /asks for "os\.system"/);
  });
});
