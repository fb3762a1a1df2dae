import { expect, it } from "vitest";
import { mayNeverEnd } from "./pattern-safety.js";

const safe = [
  // GPT-2, Llama 3, o200k, DeepSeek, BLOOM, digits.
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu,
  /(?:'[sS]|'[tT])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+/gu,
  /[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}]*[\p{Ll}\p{M}]+(?:'s|'t)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s+(?!\S)|\s+/gu,
  /[!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*/gu,
  / ?[^(\s|.,!?…]+/gu,
  /(?<=(\d{3})|x)(?:abc)+(?:[a-z]{1,2})*/gu,
];

it.each(safe)("takes what tokenizers are published with: %s", (pattern) => {
  expect(mayNeverEnd(pattern)).toBe(false);
});

it.each([
  /(a+)+$/gu,
  /(?:a|aa)*b/gu,
  /((a*)b?){2,}$/gu,
  /(?:(?:x{2,900}))+?y/gu,
  /[[](\w+\s?)*$/gu,
  /[^\]](?:.|\n)*z/gu,
  /\[(a+){40}\]/gu,
  /(?=(a?b*)+c)/gu,
])("refuses what may match for ever: %s", (pattern) => {
  expect(mayNeverEnd(pattern)).toBe(true);
});
