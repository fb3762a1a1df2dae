import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { InputError } from "../../formats/input-error.js";
import { canonicalJson } from "./canonical-json.js";
import { newKey, parseKey, type Sealed, seal, sealedShape, unseal } from "./seal.js";

const where = { sealed: "sealed.json", commitment: "game.json" };
const truth = { trigger: { all: ["fruit", "chess"] }, prompts: ["a – b", "c"], decoy: null };

describe("a seal", () => {
  const key = newKey();
  const { sealed, commitment } = seal(truth, key);

  it("gives the truth back with its key, through JSON", () => {
    const read = sealedShape.parse(JSON.parse(JSON.stringify(sealed)));
    expect(unseal(read, commitment, key, where).truth).toEqual(truth);
  });

  it("is committed to by what anyone can compute after the reveal", () => {
    const { salt } = unseal(sealed, commitment, key, where);
    const text = '{"decoy":null,"prompts":["a – b","c"],"trigger":{"all":["fruit","chess"]}}';
    expect(createHash("sha256").update(Buffer.from(salt, "hex")).update(text).digest("hex")).toBe(commitment);
  });

  it("shows nothing of the truth: not in its bytes, not by its length, not by being the same twice", () => {
    const bytes = Buffer.from(sealed.text, "base64");
    expect(bytes.includes("fruit")).toBe(false);
    const other = seal({ trigger: "a" }, newKey());
    expect(Buffer.from(other.sealed.text, "base64").length).toBe(bytes.length);
    const again = seal(truth, key);
    expect(again.commitment).not.toBe(commitment);
    expect(again.sealed.text).not.toBe(sealed.text);
  });

  it("tells a wrong key from a changed text and from a changed commitment", () => {
    const opened = (change: Partial<Sealed>, hash = commitment, by = key) => {
      try {
        return unseal({ ...sealed, ...change }, hash, by, where);
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
        return (error as Error).message;
      }
    };
    const bytes = Buffer.from(sealed.text, "base64");
    bytes[100]! ^= 1;
    expect(opened({}, commitment, newKey())).toMatch(/^sealed\.json: this is not its key/);
    expect(opened({ text: bytes.toString("base64") })).toMatch(/^sealed\.json: was changed/);
    expect(opened({ text: "" })).toMatch(/^sealed\.json: was changed/);
    expect(opened({ tag: "0".repeat(32) })).toMatch(/^sealed\.json: was changed/);
    expect(opened({ nonce: "0".repeat(24) })).toMatch(/^sealed\.json: was changed/);
    expect(opened({}, seal(truth, key).commitment)).toMatch(/^game\.json: its commitment/);
  });
});

it("keys are read as they are shown, and what is no key is not repeated", () => {
  const key = newKey();
  expect(parseKey(` ${key.toUpperCase()}\n`, "--key")).toBe(key);
  expect(() => parseKey("secret-but-wrong", "--key")).toThrow(/^--key: is no key; a key has 64 hexadecimal digits/);
  expect(() => parseKey("secret-but-wrong", "--key")).not.toThrow(/secret/);
});

it("canonical JSON does not depend on the order of keys, and is JSON", () => {
  expect(canonicalJson({ b: [1, { d: "é", c: null }], a: undefined })).toBe('{"b":[1,{"c":null,"d":"é"}]}');
  expect(canonicalJson({ y: 1, x: 2 })).toBe(canonicalJson({ x: 2, y: 1 }));
  expect(JSON.parse(canonicalJson(truth))).toEqual(truth);
  expect(() => canonicalJson({ a: Number.NaN })).toThrow(TypeError);
});
