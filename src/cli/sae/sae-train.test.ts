/** `sae train` on a tiny checkpoint, as a user runs it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { antecedent, antecedentJson, golden } from "../program.testing.js";

let folder = "";
const out = (name: string) => join(folder, name);
const train = (name: string, ...more: string[]) =>
  antecedentJson<{
    quality: { l0: number };
    heldOut: { prompts: number; loss: { original: number; zero: number } | null; lossRecovered: number | null } | null;
    used: Record<string, unknown>;
  }>([
    ...["sae", "train", "--model", golden("model"), "--layer", "1", "--prompts", out("text.txt"), "--raw"],
    ...["--latents", "24", "--k", "3", "--batch", "32", "--threads", "1", "--out", out(name), ...more],
  ]);
const weights = (name: string) => readFileSync(join(out(name), "sae_weights.safetensors"));

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "antecedent-"));
  const words = ["basil", "rivers", "snow", "lamp", "green", "seven", "walks", "under"];
  const lines = Array.from({ length: 80 }, (_, i) =>
    Array.from({ length: 5 }, (_, j) => words[(i * (j + 3) + j * j) % words.length]).join(i % 2 ? " " : " the "),
  );
  writeFileSync(out("text.txt"), `${lines.map((line, i) => `${line} ${i}`).join("\n")}\n`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("sae train", () => {
  it("measures what it made on prompts that it kept out, and writes that down", async () => {
    const { heldOut, used } = await train("plain", "--steps", "40");
    expect(heldOut).toMatchObject({ prompts: 8 });
    expect(heldOut!.loss!.zero).not.toBe(heldOut!.loss!.original);
    expect(used).toMatchObject({ architecture: "batchtopk", steps: 40, buffer: null });
    const { metadata } = JSON.parse(readFileSync(join(out("plain"), "cfg.json"), "utf8"));
    expect(metadata.heldOut).toEqual(heldOut);
  });

  it("computes activations as it goes where they are more than the buffer, the same every time", async () => {
    const some = ["--passes", "2", "--buffer", "200", "--held-out", "0"];
    const { heldOut, used } = await train("parts", ...some);
    expect(heldOut).toBeNull();
    expect(used).toMatchObject({ buffer: 200, steps: Math.round((2 * Number(used.rows)) / 32) });
    expect(Number(used.rows)).toBeGreaterThan(400);
    await train("again", ...some);
    expect(weights("again")).toEqual(weights("parts"));
  });

  it("learns thresholds with jumprelu", async () => {
    const { used } = await train("jump", "--architecture", "jumprelu", "--steps", "40");
    expect(used).toMatchObject({ architecture: "jumprelu", weight: 1 });
    const info = await antecedentJson<object>(["sae", "info", out("jump")]);
    expect(info).toMatchObject({ format: "saelens", architecture: "jumprelu", latents: 24, layer: 1 });
  });

  it.each([
    [["--bandwidth", "1"], /--bandwidth: belongs to --architecture jumprelu/],
    [["--buffer", "4"], /more than a buffer of 4 rows mixes/],
    [["--held-out", "80"], /of 80 different prompts at most 78 can be kept out/],
    [["--steps", "5", "--passes", "1"], /--passes/],
  ])("refuses %s", async (more, message) => {
    const { code, stderr } = await antecedent([
      ...["sae", "train", "--model", golden("model"), "--layer", "1", "--prompts", out("text.txt"), "--raw"],
      ...["--latents", "24", "--k", "3", "--batch", "32", "--out", out("refused"), ...more],
    ]);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});
