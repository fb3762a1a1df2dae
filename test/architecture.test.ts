/** Data goes one way: each room imports only from the rooms listed for it, and the core knows nothing of Node. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const source = fileURLToPath(new URL("../src", import.meta.url));

/** Room → rooms that it may import, as docs/architecture.md says. */
const ALLOWED: Record<string, readonly string[]> = {
  graph: [],
  formats: [],
  random: [],
  world: ["random"],
  store: ["formats"],
  model: ["graph", "formats"],
  engine: ["model", "graph", "formats", "random"],
  sae: ["engine", "model", "graph", "formats", "random"],
  methods: ["engine", "sae", "formats", "random"],
  audit: ["methods", "sae", "engine", "model", "formats"],
  organisms: ["world", "random", "audit", "methods", "sae", "engine", "model", "graph", "formats", "store"],
  report: ["world", "random", "organisms", "audit", "methods", "sae", "engine", "model", "graph", "formats", "store"],
};
/** Folders of a room from the ground up: each imports only from those before it; the files beside them from all. */
const FLOORS: Record<string, readonly string[]> = {
  audit: ["statistics", "prompts", "ask", "concepts", "compose", "evidence", "search", "confirm", "rehearse", "answer"],
  cli: [
    "terminal",
    "model",
    "prompts",
    "latents",
    "action",
    "audit",
    "find",
    "organism",
    "game",
    "sae",
    "bench",
    "sweep",
    "runs",
    "mcp",
    "commands",
  ],
};
/** Rooms that must run in a browser too. */
const PORTABLE = ["random", "graph", "formats", "model", "engine", "sae", "methods", "audit", "world"];
/** Node's side of the engine, chosen in one place. */
const NODE_FILES = ["engine/onnx/node-worker.ts", "engine/onnx/node-channel.ts", "engine/torch/node-process.ts"];

const files = (readdirSync(source, { recursive: true }) as string[]).filter(
  (file) => /\.ts$/.test(file) && !/\.(test|testing)\.ts$/.test(file),
);
const importsOf = (file: string) =>
  [...readFileSync(join(source, file), "utf8").matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(
    (match) => match[1]!,
  );
const roomOf = (file: string) => file.split("/")[0]!;

it("sees the source files", () => expect(files.length).toBeGreaterThan(50));

it.each(Object.keys(ALLOWED))("src/%s imports only what it may", (room) => {
  const wrong = files
    .filter((file) => roomOf(file) === room)
    .flatMap((file) =>
      importsOf(file)
        .filter((name) => name.startsWith("."))
        .map((name) => roomOf(relative(source, resolve(source, dirname(file), name))))
        .filter((target) => target !== room && !ALLOWED[room]!.includes(target))
        .map((target) => `${file} → ${target}`),
    );
  expect(wrong).toEqual([]);
});

it.each(Object.entries(FLOORS))("every folder of src/%s imports only from the floors below it", (room, floors) => {
  const floorOf = (path: string) => floors.indexOf(path.split("/")[1]!);
  const inFolders = files.filter((file) => roomOf(file) === room && file.split("/").length > 2);
  expect(inFolders.length).toBeGreaterThan(50);
  expect(inFolders.filter((file) => floorOf(file) < 0)).toEqual([]);
  const wrong = inFolders.flatMap((file) =>
    importsOf(file)
      .filter((name) => name.startsWith("."))
      .map((name) => relative(source, resolve(source, dirname(file), name)))
      .filter((target) => roomOf(target) === room)
      .filter((target) => target.split("/").length === 2 || floorOf(target) > floorOf(file))
      .map((target) => `${file} → ${target}`),
  );
  expect(wrong).toEqual([]);
});

it.each(PORTABLE)("src/%s imports nothing from Node", (room) => {
  const wrong = files
    .filter((file) => roomOf(file) === room && !NODE_FILES.includes(file))
    .flatMap((file) =>
      importsOf(file)
        .filter((name) => name.startsWith("node:"))
        .map((name) => `${file} → ${name}`),
    );
  expect(wrong).toEqual([]);
});
