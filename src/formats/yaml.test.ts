import { describe, expect, it } from "vitest";
import { InputError } from "./input-error.js";
import { memorySource } from "./memory-source.js";
import { parseYaml, readYaml } from "./yaml.js";

describe("YAML", () => {
  it("reads plain values, anchors included", async () => {
    const text = "base: &b {lr: 1e-3}\nruns:\n  - *b\n  - no\n";
    expect(await readYaml(memorySource("r.yaml", new TextEncoder().encode(text)))).toEqual({
      base: { lr: 0.001 },
      runs: [{ lr: 0.001 }, "no"],
    });
  });

  const laughs = [
    "a: &a [x,x,x,x,x,x,x,x,x]",
    ..."bcdefgh".split("").map((c, i) => `${c}: &${c} [${Array(9).fill(`*${"abcdefgh"[i]}`)}]`),
  ].join("\n");
  it.each([
    ["a: 1\nb: [1, 2", /^r\.yaml:2:\d+: .*; correct the YAML there/],
    ["a: 1\na: 2", /^r\.yaml:2:1: .*unique/i],
    ["a: 1\nb: !!python/object:os.system x", /^r\.yaml:2:4: .*tag/i],
    [laughs, /^r\.yaml: .*alias/i],
    ["x".repeat(2 ** 20 + 1), /read up to 1048576/],
  ])("refuses bad text %#", (text, message) => {
    let error: unknown;
    try {
      parseYaml(text, "r.yaml");
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).toMatch(message);
  });

  it("cannot set the prototype of an object", () => {
    const value = parseYaml("__proto__: {polluted: true}\n", "r.yaml") as Record<string, unknown>;
    expect(value["polluted"]).toBeUndefined();
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});
