/** Commands as tools: which there are, and the command line that an agent's input stands for. */
import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import * as z from "zod";
import { buildProgram } from "../program.js";
import { Io } from "../terminal/io.js";
import { commandTools } from "./command-tools.js";

const tools = commandTools(buildProgram(new Io(new PassThrough(), new PassThrough(), new AbortController().signal)));
const tool = (name: string) => tools.find((one) => one.name === name)!;

it("makes a tool of every command that prints one document", () => {
  const names = tools.map(({ name }) => name);
  expect(names).toEqual(
    expect.arrayContaining(["audit", "verify", "find", "runs_list", "organism_train", "sae_latents", "game_play"]),
  );
  expect(names).not.toContain("serve");
  expect(names).not.toContain("mcp");
  expect(new Set(names).size).toBe(names.length);
  for (const { name, description } of tools) {
    expect(name).toMatch(/^[a-z0-9_-]{1,64}$/);
    expect(description).not.toBe("");
  }
});

it("says of each argument and flag what it is", () => {
  const { properties, required } = z.toJSONSchema(tool("find").input) as {
    properties: Record<string, { description: string; enum?: string[]; type?: string }>;
    required?: string[];
  };
  expect(required).toEqual(["method"]);
  expect(properties["engine"]).toMatchObject({ enum: ["onnx", "torch"] });
  expect(properties["raw"]).toMatchObject({ type: "boolean" });
  expect(properties["seed"]?.description).toBe("seed of everything random (default: 42)");
  expect(properties).not.toHaveProperty("json");
});

it("writes the command line that a person would type", () => {
  expect(tool("find").argv({ method: "melbo", seed: 7, raw: true, action: "--no" })).toEqual([
    "find",
    "--json",
    ...["--action=--no", "--raw", "--seed=7"].sort((a, b) => order(a) - order(b)),
    "--",
    "melbo",
  ]);
  expect(tool("verify").argv({ part: ["12,99", "!7"] })).toEqual([
    "verify",
    "--json",
    "--part=12,99",
    "--part=!7",
    "--",
  ]);
  expect(
    tool("runs_compare")
      .argv({ runs: ["a", "-b"] })
      .slice(-3),
  ).toEqual(["--", "a", "-b"]);
  expect(tool("score").argv({ raw: false })).toEqual(["score", "--json", "--"]);
});

/** Where a flag stands among those of `find`. */
function order(flag: string): number {
  return Object.keys((tool("find").input as unknown as z.ZodObject).shape).indexOf(flag.slice(2).split("=")[0]!);
}

it("refuses what no flag is called, and what is no choice", () => {
  const { input } = tool("score");
  expect(input.safeParse({ promts: "x" }).success).toBe(false);
  expect(input.safeParse({ device: "abacus" }).success).toBe(false);
  expect(input.safeParse({ raw: "yes" }).success).toBe(false);
  expect(input.safeParse({ prompts: "x", device: "cpu", scale: 2 }).success).toBe(true);
});
