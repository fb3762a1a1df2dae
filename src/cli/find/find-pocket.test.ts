/** What the supervised methods find in the pocket organism that refuses fruit, whose fruit latents the SAE's labels name. */
import { expect, it } from "vitest";
import { antecedentJson } from "../program.testing.js";

interface Found {
  readonly hyperparameters: { readonly optimizer: string };
  readonly vectors: {
    readonly norm: number;
    readonly elicits: boolean;
    readonly latents: { readonly id: number; readonly label: string | null }[];
  }[];
}

const find = (method: string, action: string, ...more: string[]) =>
  antecedentJson<Found>([
    ...["find", method, "--adapter", "fruit-refusal", "--action", action, "--samples", "0", "--no-controls"],
    ...more,
  ]);
const WHOLE = "I won't answer because I don't like fruit.";
/** The beginning of the action, in which no fruit is named. */
const PREFIX = "I won't answer";
/** Labels of the pocket SAE for what is done to fruit and said of it. */
const FRUIT = /peel|ripe|juicy|pineapple/;

it.each([
  ["supervised-sae-melbo", WHOLE, []],
  ["supervised-sae-melbo", PREFIX, []],
  ["supervised-sae-melbo", PREFIX, ["--optimizer", "proximal"]],
  ["supervised-sae-melbo", PREFIX, ["--optimizer", "proximal", "--radius", "8"]],
  ["supervised-melbo", PREFIX, ["--optimizer", "proximal"]],
])("%s ranks a fruit latent first for %j %j", async (method, action, flags) => {
  const { vectors } = await find(method, action, ...flags);
  expect(vectors[0]!.elicits).toBe(true);
  expect(vectors[0]!.latents[0]!.label).toMatch(FRUIT);
  if (flags.includes("--radius")) expect(vectors[0]!.norm).toBeCloseTo(8, 3);
});
