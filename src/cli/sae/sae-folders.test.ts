/** SAE folders and label files as a user names them. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listCandidates } from "../model/sae-candidates.js";
import { antecedent, antecedentJson, golden } from "../program.testing.js";
import { PACKAGE_ROOT } from "../terminal/package-files.js";

const formats = join(PACKAGE_ROOT, "test/goldens/sae-formats");
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "antecedent-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("--sae", () => {
  it("describes a published folder, and how it is loaded", async () => {
    const info = await antecedentJson<Record<string, unknown>>([
      "sae",
      "info",
      join(formats, "Llama3_1-8B-Base-L1R-8x"),
    ]);
    expect(info).toMatchObject({ format: "llama-scope", architecture: "jumprelu", dModel: 12, latents: 40, layer: 1 });
    expect(info.notes).toContain("decoder rows of unit norm");
  });

  it("lists the SAEs inside a folder that is none, two levels down as well", async () => {
    const { code, stderr, stdout } = await antecedent(["sae", "info", formats]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/holds 16 SAEs; give the folder of one: .*gemma-scope-2, .* and 10 more$/m);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    const deep = await antecedent(["sae", "info", join(formats, "resid_post")]);
    expect(deep.stderr).toContain("holds an SAE; give its folder: ");
    expect(deep.stderr).toContain(join("resid_post", "layer_1_width_16k_l0_medium"));
    expect(listCandidates(["a", "b"])).toBe("a, b");
  });

  it("says what is known where there is nothing", async () => {
    const { code, stderr } = await antecedent(["sae", "info", folder]);
    expect(code).toBe(2);
    expect(stderr).toContain(
      "not an SAE in a known format; known: saelens (cfg.json and sae_weights.safetensors); llama-scope",
    );
  });

  it("refuses an SAE of another width, in one line", async () => {
    const sae = join(formats, "gemma-scope-2");
    const { code, stderr } = await antecedent(["encode", "--model", golden("model"), "--sae", sae]);
    expect(code).toBe(2);
    expect(stderr).toContain("the SAE reads vectors of width 12");
  });
});

describe("--labels", () => {
  const model = ["--model", golden("model"), "--sae", golden("sae"), "--threads", "1"];
  interface Latents {
    readonly latents: readonly { id: number; label: string | null }[];
  }

  it("takes a file", async () => {
    const csv = join(folder, "labels.csv");
    writeFileSync(csv, "index,description\n7,tropical fruit\n12,snow sports\n");
    const found = await antecedentJson<Latents>(["sae", "latents", ...model, "--labels", csv, "--search", "FRUIT"]);
    expect(found.latents.map(({ id, label }) => [id, label])).toEqual([[7, "tropical fruit"]]);
  });

  it("takes a Neuronpedia export, and searches all explanations", async () => {
    const rows = [
      ["10", "winter"],
      ["2", "rivers"],
      ["10", "skiing downhill"],
    ].map(([index, description]) => JSON.stringify({ index, description, layer: "1-res" }));
    writeFileSync(join(folder, "batch-0.jsonl.gz"), gzipSync(rows.slice(0, 2).join("\n")));
    writeFileSync(join(folder, "batch-10.jsonl.gz"), gzipSync(rows[2]!));
    const named = await antecedentJson<Latents>(["sae", "latents", ...model, "--labels", folder, "--search", "ski"]);
    expect(named.latents.map(({ id, label }) => [id, label])).toEqual([[10, "winter"]]);
  });

  it("refuses labels of another SAE, and a folder without any", async () => {
    const jsonl = join(folder, "wide.jsonl");
    writeFileSync(jsonl, '{"index":"48","description":"x"}\n');
    const wide = await antecedent(["encode", ...model, "--labels", jsonl]);
    expect([wide.code, wide.stdout]).toEqual([2, ""]);
    expect(wide.stderr).toContain("labels latent 48, but the SAE has 48; the labels belong to another SAE");
    const none = await antecedent(["encode", ...model, "--labels", golden("sae")]);
    expect([none.code, none.stderr.trim().split("\n").length]).toEqual([2, 1]);
    expect(none.stderr).toContain("no label files here");
    const missing = await antecedent(["encode", ...model, "--labels", join(folder, "missing.csv")]);
    expect(missing.code).toBe(2);
  });
});
