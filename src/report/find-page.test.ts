/** The page of `find`: every number of the vector, and nothing from outside as markup. */
import { expect, it } from "vitest";
import { type FindPage, findPage } from "./find-page.js";

const HOSTILE = "</q><script>alert(1)</script>";
const latent = (id: number) => ({
  id,
  label: `label ${id}`,
  dead: false,
  typical: 2,
  maximum: 3,
  firingRate: { count: 5, total: 100, rate: 0.05, low: 0.02, high: 0.11 },
  tokenRate: null,
  contexts: [{ value: 3, before: HOSTILE, word: "mango", after: "", piece: "mango" }],
  topTokens: [],
  logitEffect: null,
  score: 1 / id,
  coordinate: id === 1 ? -3 : 3,
  decoderCosine: 0.76,
  encoderCosine: 0.47,
  controls: {
    clean: { score: 0, rank: null, decoderCosine: 0 },
    random: { score: null, rank: null, decoderCosine: 0 },
  },
});
const found: FindPage = {
  method: "supervised-sae-melbo",
  layer: 2,
  score: "coordinate",
  controls: [{ name: "clean", what: "the same on the clean model" }],
  hyperparameters: { lambda: "path", radius: null },
  used: { model: "pocket", adapter: HOSTILE, action: HOSTILE },
  vectors: [
    {
      index: 0,
      norm: 4.53,
      loss: { initial: 2, final: 0.5 },
      steps: 40,
      lambda: 0.25,
      elicits: false,
      latents: [1, 2, 3, 4].map(latent),
      reading: {
        orders: { timesTypical: [], decoderCosine: [{ id: 9, value: 0.8 }], encoderCosine: [{ id: 1, value: 0.47 }] },
        others: [latent(9)],
        histogram: { of: "coordinates", edges: [0, 1], counts: [8], zeros: 4 },
        logitEffect: { raised: [{ token: 1, text: " snow", value: 1 }], lowered: [] },
        explained: { latents: 4, share: 1, rank: 4, byChance: 0.03 },
      },
      steered: {
        actionRate: { count: 9, total: 32, rate: 9 / 32, low: 0.16, high: 0.45 },
        scale: 1,
        heldOut: true,
        samples: [{ prompt: "How?", unsteered: "So.", steered: HOSTILE }],
      },
    },
  ],
};

it("shows latents beside controls, other orders, histogram, replies", () => {
  const page = findPage(found, "antecedent 1.2.3");
  for (const text of [
    "Norm 4.53, loss 2.000 → 0.500 in 40 steps, λ 0.25.",
    "does not elicit the action on half of the prompts",
    '<td class="number right">−1</td>',
    "9 of 32 · 28 % (16–45)",
    "account for 100 % of ‖θ‖²",
    "coordinates of 8 latents",
    "␣snow",
    "by cosine with decoder rows",
    "0.8 · 9",
    "label 9",
    "<mark>mango</mark>",
    "antecedent 1.2.3",
  ])
    expect(page).toContain(text);
  // An order without latents has no column, a control without a score a dash, a setting not in force no line.
  expect(page).not.toContain("by score × typical activation");
  expect(page).toContain('<td class="number right">–</td>');
  expect(page).not.toContain("<dt>radius");
  // Three cards lie open, the others are folded up.
  expect(page.match(/<summary>\d/g)).toHaveLength(2);
  expect(page).not.toContain("<script");
});

it("shows a vector that no SAE has read", () => {
  const page = findPage({ ...found, vectors: [{ ...found.vectors[0]!, latents: [], reading: null }] }, "antecedent");
  expect(page).toContain("Vector 0");
  expect(page).not.toContain("Other orders");
});

it("shows a vector that no action was tried with", () => {
  const [vector] = found.vectors;
  const steered = { ...vector!.steered, actionRate: null };
  const page = findPage(
    { ...found, used: { model: "pocket", action: null }, vectors: [{ ...vector!, steered }] },
    "antecedent",
  );
  expect(page).toContain("in 40 steps");
  expect(page).not.toContain("the action comes on");
  expect(page).toContain("says nothing of a trigger");
});

it("shows the condition of iterated attribution, its test and each step to it", () => {
  const rate = (count: number, total: number) => ({ count, total, rate: count / total, low: 0, high: 1 });
  const tried = { latents: [1761], label: HOSTILE, rate: rate(50, 60), logprob: -1.25, pValue: 1e-9 };
  const condition = {
    parts: [{ latents: [1761], negated: false, label: HOSTILE, words: ["pear"], exceptWords: [], maxima: [3] }],
    ...{ combination: "single" as const, rate: rate(60, 60), cleanRate: null, interaction: null, verified: true },
    ...{ reason: "clear", pValue: 0, allowedError: 0.03, half: "confirmation" as const, naturalLevel: 0.5 },
    sets: [{ name: "whole", present: [true], expected: true, rate: rate(60, 60), cleanRate: null, byKind: {} }],
    ...{ recipes: [], askedWithout: [], examples: [] },
  };
  const step = {
    ...{ held: [], prompts: 24, baseline: { rate: rate(0, 60), logprob: -9 }, added: [1761] },
    tried: [tried, { ...tried, latents: [5, 6], rate: rate(0, 60), logprob: null, pValue: null }],
    ...{ rate: rate(50, 60), logprob: -1.25 },
  };
  const iterated = {
    steps: [step],
    condition,
    claim: { statement: HOSTILE, notShown: ["this", HOSTILE] },
    ended: "the action comes on half",
  };
  const page = findPage({ ...found, ...iterated }, "antecedent");
  for (const text of [
    "Condition found and verified",
    "Not shown: this; ",
    "60 of 60 · 100 %",
    "Attribution over 24 ordinary prompts",
    "Latents 1761 join: now on 50 of 60",
    "<mark>1761</mark>",
    "−1.25",
    "&lt; 0.000001",
  ])
    expect(page).toContain(text);
  expect(page).not.toContain("<script");
  expect(findPage({ ...found, ...iterated, claim: null }, "antecedent")).toContain("not verified");
  expect(findPage({ ...found, ...iterated, condition: null, claim: null }, "antecedent")).toContain("No condition");
});
