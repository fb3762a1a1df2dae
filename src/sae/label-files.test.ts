import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { InputError } from "../formats/input-error.js";
import { memorySource } from "../formats/memory-source.js";
import { readLabels } from "./label-files.js";
import { LabelSearch } from "./label-search.js";
import { firstLabel, type Labels, writeLabels } from "./labels.js";

const file = (text: string, name = "labels.jsonl") => memorySource(name, new TextEncoder().encode(text));
const zipped = (text: string, name: string) => memorySource(name, new Uint8Array(gzipSync(text)));
const texts = (labels: Labels) =>
  Object.fromEntries([...labels].map(([id, all]) => [id, all.map(({ description }) => description)]));

describe("label files", () => {
  it("reads rows in any order, several a latent, indices as text or number", async () => {
    const labels = await readLabels(
      file(
        '{"modelId":"m","layer":"19-res","index":"10","description":" fruit ","typeName":"np_max-act","embedding":[0.1]}\n\n' +
          '{"index":2,"description":"snow","explanationModelName":"x"}\r\n{"index":"10","description":"apples"}\n{"index":"3","description":""}',
      ),
      { latents: 11 },
    );
    expect([...labels.keys()]).toEqual([10, 2]);
    expect(labels.get(10)).toEqual([{ description: "fruit", typeName: "np_max-act" }, { description: "apples" }]);
    expect(firstLabel(labels, 2)).toBe("snow");
    const written = writeLabels(labels, { modelId: "m", layer: "19-res" });
    expect(written.split("\n")[0]).toBe(
      '{"modelId":"m","layer":"19-res","index":"2","description":"snow","explanationModelName":"x"}',
    );
    expect(await readLabels(file(written))).toEqual(new Map([...labels].sort(([a], [b]) => a - b)));
  });

  it("reads an export's batches, whose rows lie in the order of their numbers as text", async () => {
    const row = (index: number, description: string) =>
      `${JSON.stringify({ id: `c${index}x`, modelId: "llama3.1-8b", layer: "19-llamascope-res-32k", index: String(index), description, embedding: [0.25, -1], umap_x: 1 })}\n`;
    const labels = await readLabels(
      [
        zipped(row(0, "zero") + row(1, "one") + row(10, "ten") + row(100, "hundred"), "batch-0.jsonl.gz"),
        zipped(row(2, "two") + row(10, "ten again") + row(2, "two"), "batch-1.jsonl.gz"),
      ],
      { latents: 101 },
    );
    expect(texts(labels)).toEqual({ 0: ["zero"], 1: ["one"], 2: ["two"], 10: ["ten", "ten again"], 100: ["hundred"] });
    expect(firstLabel(labels, 10)).toBe("ten"); // the first in the order of the batches
  });

  it("takes an embedding out of a row, and no text that speaks of one", async () => {
    const description = 'the words "embedding":[1,2] in code';
    const labels = await readLabels(file(JSON.stringify({ index: 0, embedding: [1, 2, 3], description })));
    expect(firstLabel(labels, 0)).toBe(description);
  });

  it.each([
    ["a list", '[{"latent": 4, "label": "snow"}, {"id": 2, "explanation": "fruit"}]'],
    [
      "an export of the site",
      '{"modelId": "m", "explanations": [{"index": "4", "description": "snow"}, {"index": "2", "description": "fruit"}]}',
    ],
    ["from latent to text", '{"4": "snow", "2": ["fruit"]}'],
  ])("reads .json: %s", async (_, json) => {
    expect(texts(await readLabels(file(json, "labels.json")))).toEqual({ 4: ["snow"], 2: ["fruit"] });
    expect(texts(await readLabels(zipped(json, "labels.json.gz")))).toEqual({ 4: ["snow"], 2: ["fruit"] });
  });

  it.each([
    ["with names", 'layer,Description,index\r\n19,"snow, ""fresh""\nand deep",4\r\n19,fruit,2\r\n'],
    ["without", '4,"snow, ""fresh""\nand deep"\n2,fruit'],
  ])("reads .csv: columns %s", async (_, csv) => {
    expect(texts(await readLabels(file(csv, "labels.csv")))).toEqual({ 4: ['snow, "fresh"\nand deep'], 2: ["fruit"] });
  });

  it.each([
    [
      "labels of another SAE",
      "a.jsonl",
      '{"index":"5","description":"x"}',
      "line 1 labels latent 5, but the SAE has 5",
    ],
    [
      "labels of another layer",
      "a.jsonl",
      '{"layer":"3-res","index":"1","description":"x"}',
      'line 1 is of "3-res", but the SAE reads layer 2',
    ],
    ["a line that is not JSON", "a.jsonl", '{"index":"1","description":"x"}\nnope', "line 2 is not JSON"],
    ["a latent below zero", "a.jsonl", '{"index":"-1"}', "line 1: index"],
    ["no latent", "a.jsonl", '{"description":"x"}', "line 1: index: names no latent"],
    ["another file", "a.txt", "x", "labels are read from .jsonl, .json or .csv"],
    ["other JSON", "a.json", '{"labels": 3}', "holds no labels; want a list of"],
    ["half of JSON", "a.json", '{"1": ', "is not valid JSON"],
    ["an open quote", "a.csv", 'index,description\n1,"x', "a.csv:2: a quote is opened and never closed"],
    ["a quote inside", "a.csv", 'index,description\n1,"x"y', "a.csv:2: text after a closing quote"],
    ["words for numbers", "a.csv", "index,description\none,x", 'a.csv: row 2: "one" is not the number of a latent'],
  ])("refuses %s", async (_, name, text, message) => {
    const failure = await readLabels(file(text, name), { latents: 5, layer: 2 }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(InputError);
    expect((failure as Error).message).toContain(message);
    expect((failure as Error).message.split("\n")).toHaveLength(1);
  });

  it("takes labels of the SAE's own layer, by either number of what a block reads", async () => {
    const of = (layer: string) => file(JSON.stringify({ layer, index: 1, description: "x" }));
    expect((await readLabels(of("2-res"), { latents: 5, layer: 2 })).size).toBe(1);
    const before = { latents: 5, layer: 2, hook: "blocks.3.hook_resid_pre" };
    for (const layer of ["2-res", "3-res", "res"]) expect((await readLabels(of(layer), before)).size).toBe(1);
    await expect(readLabels(of("4-res"), before)).rejects.toThrow("another SAE");
  });

  it("refuses damaged gzip and other bytes", async () => {
    const whole = new Uint8Array(gzipSync('{"index":"1","description":"x"}\n'.repeat(200)));
    await expect(readLabels(memorySource("b.jsonl.gz", whole.slice(0, -12)))).rejects.toThrow("not a whole gzip file");
    await expect(readLabels(memorySource("b.jsonl", Uint8Array.of(0xff, 0xfe, 0x41)))).rejects.toThrow("not UTF-8");
  });
});

describe("search over labels", () => {
  const search = new LabelSearch(
    new Map([
      [3, [{ description: "references to grapefruit juice" }]],
      [5, [{ description: "Fruit, and fruits of all kinds" }]],
      [8, [{ description: "snow sports" }, { description: "skiing and fruit" }]],
      [9, [{ description: "winter weather" }]],
    ]),
  );

  it("finds whole words and beginnings first, then words inside others", () => {
    expect(search.find("FRUIT", 10)).toEqual([5, 8, 3]);
    expect(search.find("fru", 10)[0]).toBe(5);
    expect(search.find("fruit", 2)).toEqual([5, 8]);
  });

  it("wants every word, in any explanation of a latent", () => {
    expect(search.find("ski fruit", 10)).toEqual([8]);
    expect(search.find("snow weather", 10)).toEqual([]);
  });

  it("forgives a slip only where nothing else is found", () => {
    expect(search.find("wether", 10)).toEqual([9]);
    expect(search.find("", 10)).toEqual([]);
  });
});
