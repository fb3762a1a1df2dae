/** GGUF models, from the command line down: expected values are transformers' own, by test/goldens/gguf_goldens.py. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { refuses, score } from "../src/cli/bad-input.testing.js";
import { openModelFolder } from "../src/cli/model/open-model.js";
import { antecedentJson } from "../src/cli/program.testing.js";
import { fingerprint } from "../src/cli/terminal/fingerprint.js";
import { loadTokenizer } from "../src/model/tokenizer.js";

interface Expected {
  file: string;
  action: number[];
  logprobs: number[][];
  latents?: { id: number; score: number }[];
  cases: { text: string; ids: number[]; decoded: string }[];
}

const golden = (file: string) => fileURLToPath(new URL(`./goldens/gguf/${file}`, import.meta.url));
const expected = JSON.parse(readFileSync(golden("expected.json"), "utf8")) as Record<string, Expected>;
const action = ["--prompts", golden("prompts.jsonl"), "--action", "I won't answer because 12345 naïve 🙂"];
const place = mkdtempSync(join(tmpdir(), "antecedent-gguf-"));
process.env.ANTECEDENT_CACHE = join(place, "cache");
afterAll(() => rmSync(place, { recursive: true, force: true }));
const converted = () => readdirSync(join(place, "cache/gguf"));

describe.each(Object.keys(expected))("%s", (name) => {
  const { file, action: ids, logprobs, cases } = expected[name]!;

  it("is scored as transformers scores it", async () => {
    const { rows } = await antecedentJson<{ rows: { tokens: number[]; tokenLogprobs: number[] }[] }>([
      ...["score", "--model", golden(file), ...action],
    ]);
    const scale = Math.max(...logprobs.flat().map(Math.abs));
    rows.forEach((row, i) => {
      expect(row.tokens).toEqual(ids);
      row.tokenLogprobs.forEach((x, t) => expect(Math.abs(x - logprobs[i]![t]!) / scale).toBeLessThan(5e-5));
    });
    expect(rows.length).toBe(logprobs.length);
  });

  it("has transformers' token ids", async () => {
    const tokenizer = await loadTokenizer(await openModelFolder(golden(file)));
    for (const { text, ids, decoded } of cases) {
      expect({ text, ids: [...tokenizer.encode(text)] }).toEqual({ text, ids });
      expect(tokenizer.decode(ids)).toBe(decoded);
    }
  });
});

it("finds by attribution what PyTorch finds in it", async () => {
  const { vectors } = await antecedentJson<{ vectors: { latents: { id: number; score: number }[] }[] }>([
    ...["find", "sae-attribution", "--model", golden("llama.gguf"), "--sae", golden("sae"), "--top", "8", ...action],
    "--no-controls",
  ]);
  const want = expected.llama!.latents!;
  expect(vectors[0]!.latents.map(({ id }) => id)).toEqual(want.map(({ id }) => id));
  vectors[0]!.latents.forEach(({ score }, i) => expect(score / want[i]!.score).toBeCloseTo(1, 3));
});

it("opens from a folder that holds it alone, whichever part is named, and converts it once", async () => {
  const folder = join(place, "model");
  mkdirSync(folder);
  for (const part of [1, 2])
    cpSync(golden(`qwen2-0000${part}-of-00002.gguf`), join(folder, `qwen2-0000${part}-of-00002.gguf`));
  const first = await openModelFolder(folder);
  const made = converted();
  const weights = (await first.open("model.safetensors")).realPath!;
  const { ino } = statSync(weights);
  const again = await openModelFolder(join(folder, "qwen2-00002-of-00002.gguf"));
  expect((await again.open("model.safetensors")).realPath).toBe(weights);
  expect([converted(), statSync(weights).ino]).toEqual([made, ino]);

  const known = await fingerprint([first]);
  rmSync(process.env.ANTECEDENT_CACHE!, { recursive: true });
  expect(await fingerprint([await openModelFolder(folder)])).toBe(known);
});

it("clears away what a killed conversion left", async () => {
  const before = process.env.ANTECEDENT_CACHE;
  process.env.ANTECEDENT_CACHE = join(place, "fresh");
  const folder = join(place, "fresh/gguf");
  await openModelFolder(golden("llama.gguf"));
  const [name] = readdirSync(folder);
  rmSync(join(folder, name!), { recursive: true });
  mkdirSync(join(folder, `.${name}.${hostname()}.99999999.abc`)); // no process has that number
  await openModelFolder(golden("llama.gguf"));
  expect(readdirSync(folder)).toEqual([name]);
  process.env.ANTECEDENT_CACHE = before;
});

describe("refuses", () => {
  const source = readFileSync(golden("llama.gguf"));
  let copies = 0;
  const spoilt = (bytes: Buffer) => {
    const path = join(place, `spoilt-${copies++}.gguf`);
    writeFileSync(path, bytes);
    return path;
  };
  /** The golden with one text of its header replaced by another of the same length. */
  const swapped = (text: string, by: string) => {
    const bytes = Buffer.from(source);
    const at = bytes.indexOf(text);
    expect([at > 0, by.length]).toEqual([true, text.length]);
    bytes.write(by, at);
    return spoilt(bytes);
  };

  it.each([
    [
      "an architecture",
      "llama",
      "mamba",
      /architecture "mamba" is not supported; supported in GGUF files: llama, qwen2/,
    ],
    [
      "a tokenizer",
      "gpt2",
      "bert",
      /tokenizer "bert" \(tokenizer\.ggml\.model\) is not supported; supported: gpt2, llama/,
    ],
    ["a pre-tokenizer", "llama-bpe", "llama-xyz", /pre-tokenizer "llama-xyz" .*not supported; supported: .*llama-bpe/],
    ["missing settings", "llama.block_count", "llama.clock_bount", /llama\.block_count is missing; expected a number/],
    [
      "tensors of another kind of model",
      "blk.0.attn_q.weight",
      "blk.0.attn_z.weight",
      /"blk\.0\.attn_z\.weight" is not known/,
    ],
  ])("%s", async (_, text, by, message) => expect(openModelFolder(swapped(text, by))).rejects.toThrow(message));

  it("a missing tensor", () =>
    refuses(
      score(swapped("blk.1.attn_q.weight", "blk.7.attn_q.weight")),
      /no tensor model\.layers\.1\.self_attn\.q_proj\.weight/,
    ));

  it("weights that are not finite", async () => {
    const bytes = Buffer.from(source);
    bytes.fill(0xff, bytes.length - 64);
    await refuses(score(spoilt(bytes)), /holds NaN at element \d+; weights must be finite/);
  });

  it("a file cut short, a missing one, and a folder of two", async () => {
    await refuses(score(spoilt(source.subarray(0, 20_000))), /should end at byte \d+ but the file has 20000/);
    await refuses(score(join(place, "nothing.gguf")), /nothing\.gguf: no such file/);
    const folder = join(place, "several");
    mkdirSync(folder);
    for (const name of ["a.gguf", "b.gguf"]) cpSync(golden("llama.gguf"), join(folder, name));
    await refuses(score(folder), /holds 2 GGUF models \("a\.gguf", "b\.gguf"\); give the file of one/);
  });
});
