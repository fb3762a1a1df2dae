/** The report shows what the result says, and nothing in a result can become markup, a script or a request. */
import { expect, it } from "vitest";
import { InputError } from "../formats/input-error.js";
import { memorySource } from "../formats/memory-source.js";
import { auditReport } from "./audit-report.js";
import { highlight } from "./highlight.js";
import { histogramChart } from "./histogram-chart.js";
import { escapeHtml } from "./html.js";
import { rateBars } from "./rate-chart.js";
import { readStoredAudit } from "./stored-audit.js";

const rate = (count: number, total: number, low = 0, high = 1) => ({
  count,
  total,
  rate: total === 0 ? 0 : count / total,
  low,
  high,
});
const HOSTILE = '</q><script>alert(1)</script><img src="https://example.org/x" onerror=alert(2)>';
const part = { latents: [4, 7], negated: false, label: HOSTILE, words: [HOSTILE, "mango"], maxima: [1, 2] };
const hypothesis = {
  parts: [part],
  combination: "single",
  rate: rate(57, 60, 0.86, 0.98),
  cleanRate: rate(0, 60, 0, 0.06),
  interaction: null,
  verified: true,
  reason: HOSTILE,
  pValue: 1e-6,
  allowedError: 0.01,
  sets: [
    { name: "whole", present: [true], rate: rate(57, 60, 0.86, 0.98), cleanRate: rate(0, 60, 0, 0.06), byKind: {} },
    { name: "neither", present: [false], rate: rate(0, 0), cleanRate: null, byKind: {} },
  ],
  recipes: [],
  examples: [{ prompt: `Mango? ${HOSTILE}`, kind: "natural", logprob: -0.1, cleanLogprob: null, carriedBy: ["mango"] }],
};
const result = {
  name: HOSTILE,
  trigger: {
    statement: `about mangoes ${HOSTILE}`,
    combination: "single",
    parts: [part],
    rate: rate(57, 60, 0.86, 0.98),
    foundBy: [HOSTILE],
  },
  hypotheses: [hypothesis],
  methods: [
    {
      name: HOSTILE,
      seconds: 1,
      vectors: [
        {
          index: 0,
          norm: 1,
          loss: { initial: 2, final: 1 },
          steps: 3,
          latents: [{ id: 4, score: 1, cleanRank: 2, label: HOSTILE }],
          steered: rate(1, 2),
          random: null,
        },
      ],
    },
  ],
  controls: [{ name: HOSTILE, what: HOSTILE, rate: rate(0, 9), latents: [{ id: 4, score: 1 }] }],
  budget: { forwardTokens: 1234567, backwardTokens: 2, seconds: 61 },
  tried: HOSTILE,
  candidates: [{ id: 4, ranks: { x: 1 } }],
  seed: 42,
  used: { model: HOSTILE, action: HOSTILE, adapter: null },
};
const histogram = { edges: [0, 0.5, 1], counts: [99, 1], zeros: 98 };
const control = { score: 0.25, rank: 7, decoderCosine: 0.1 };
/** A latent's card as newer results hold it; the result above is one of an older version. */
const card = {
  id: 4,
  label: HOSTILE,
  dead: false,
  typical: 2,
  maximum: 3,
  firingRate: rate(5, 100),
  tokenRate: null,
  contexts: [
    {
      prompt: 0,
      token: 1,
      value: 3,
      before: `Peel ${HOSTILE} the `,
      word: "mango",
      after: " now",
      piece: " man",
      pieceAt: [0, 3] as [number, number],
    },
  ],
  topTokens: [{ token: 9, text: " mango", peaks: 3, largest: 3 }],
  logitEffect: { raised: [{ token: 9, text: HOSTILE, value: 1 }], lowered: [{ token: 8, text: " no", value: -1 }] },
  scores: [{ method: "supervised", vector: 0, score: 1, rank: 1, controls: { clean: control, random: control } }],
};
const [method] = result.methods;
const withLatents = {
  ...result,
  latents: [card, { ...card, id: 5, label: "another", dead: true, contexts: [] }],
  methods: [
    {
      ...method,
      vectors: [
        {
          ...method!.vectors[0],
          latents: [{ id: 4, score: 1, cleanRank: 2, label: HOSTILE, controls: { clean: control } }],
          histogram,
          explained: { share: 0.54, rank: 1, byChance: 0.01 },
        },
      ],
    },
  ],
};
const read = (value: unknown) =>
  readStoredAudit(memorySource("run/result.json", new TextEncoder().encode(JSON.stringify(value))));

it("shows the statement, the rates with their intervals and the settings", async () => {
  const page = auditReport(await read(result), "antecedent 1.2.3");
  for (const text of [
    "about mangoes",
    "57 of 60 · 95 % (86–98)",
    "0 of 60 · 0 % (0–6)",
    "no prompts",
    "1,234,567",
    "antecedent 1.2.3",
    "<mark>Mango</mark>",
  ])
    expect(page).toContain(text);
});

it("of several confirmed conditions shows the answer's evidence, and the others beside it", async () => {
  const other = { ...hypothesis, parts: [{ ...part, latents: [9] }], reason: "the cue's reason" };
  const trigger = { ...result.trigger, also: [`about cues ${HOSTILE}`] };
  const page = auditReport(
    await read({ ...result, trigger, hypotheses: [other, { ...hypothesis, reason: "the answer's reason" }] }),
    "antecedent",
  );
  const [evidence, others] = ["<h2>Evidence</h2>", "Other hypotheses that were tested"].map((text) =>
    page.indexOf(text),
  );
  expect(page).toContain("Also confirmed: about cues");
  expect(page.slice(evidence, others)).toContain("The answer&#39;s reason");
  expect(page.slice(others)).toContain("The cue&#39;s reason");
  expect(page).not.toContain("<script");
});

it("escapes everything that comes from the result", async () => {
  const page = auditReport(await read(result), "antecedent");
  expect(page).not.toContain("<script");
  expect(page).not.toContain("<img");
  expect(page.match(/https?:\/\/(?!example\.org)/g)).toBeNull();
  expect(page).toContain("default-src &#39;none&#39;");
  // With the quoted values taken out, no tag is left with an event handler.
  expect(page.replace(/="[^"]*"/g, "").match(/<\w+[^>]*\son\w+/)).toBeNull();
});

it("shows what the answer's latents fire on, what they say, and their scores beside the controls", async () => {
  const page = auditReport(await read(withLatents), "antecedent");
  const [answers, others] = page.split("Other latents that were listed");
  for (const text of [
    "<mark><u>man</u>go</mark> now",
    "␣mango <small>3×</small>",
    "5 of 100 · 5 % (0–100)",
    'id="latent-4"',
    'href="#latent-4"',
    "1 (#1)",
    "0.25 (#7)",
    "account for 54 %",
    "log count; 98 are exactly 0",
  ])
    expect(answers).toContain(text);
  // A latent that belongs to no part is folded up below, marked as dead.
  expect(answers).not.toContain('id="latent-5"');
  expect(others).toContain('id="latent-5"');
  expect(others).toContain("dead");
  expect(page).not.toContain("<script");
  expect(page).not.toContain("<img");
});

it("draws a histogram with bars as high as the logarithm of their counts", () => {
  const { text } = histogramChart({ edges: [0, 1, 2, 3], counts: [99, 0, 9], zeros: 90 }, "scores");
  // 60 units high: 4 + 56 · log(1 + 99) / log(100), and 4 + 56 · log(10) / log(100); an empty bin has no bar.
  expect([...text.matchAll(/ height="([\d.]+)"/g)].map(([, height]) => Number(height))).toEqual([60, 32]);
  expect(text).toContain("<title>2 to 3: 9</title>");
});

it("refuses a histogram whose edges do not fit its counts", async () => {
  const [vector] = withLatents.methods[0]!.vectors;
  const broken = { ...vector, histogram: { ...histogram, edges: [0] } };
  await expect(read({ ...withLatents, methods: [{ ...method, vectors: [broken] }] })).rejects.toThrow(
    /histogram.*one edge more/,
  );
});

it("says that nothing was found, with what was tried", async () => {
  const page = auditReport(
    await read({ ...result, trigger: null, hypotheses: [], tried: "12 candidate latents" }),
    "antecedent",
  );
  expect(page).toContain("No trigger found");
  expect(page).toContain("12 candidate latents.");
  expect(page).toContain("does not show that there is none");
  expect(page).not.toContain("tested above");
  expect(page).not.toContain("bred for the action");
});

it("shows the prompts that were bred, at hand where nothing was found", async () => {
  const bred = [
    { prompt: `a shirt stalemate ${HOSTILE}`, logprob: -0.25, cleanLogprob: null, carriedBy: ["stalemate"] },
  ];
  const found = auditReport(await read({ ...result, bred }), "antecedent");
  const none = auditReport(await read({ ...result, bred, trigger: null, hypotheses: [] }), "antecedent");
  for (const page of [found, none]) {
    expect(page).toContain("a shirt <mark>stalemate</mark>");
    expect(page).toContain("log p −0.25");
    expect(page).not.toContain(HOSTILE);
  }
  expect(found).toContain("<summary>1 prompt that search wrote</summary>");
  expect(none).not.toContain("that search wrote");
});

it("refuses a result that an audit did not write, naming the field", async () => {
  await expect(read({ ...result, methods: [{ name: 3 }] })).rejects.toThrow(/run\/result\.json: methods\.0\.name/);
  await expect(read({})).rejects.toThrow(InputError);
  await expect(read({ ...result, hypotheses: [{ ...hypothesis, rate: rate(1, 1, 0, 3) }] })).rejects.toThrow(
    /hypotheses\.0\.rate\.high/,
  );
});

it("shows invisible and direction-turning characters as replacement characters", () => {
  expect(escapeHtml("a\u202eb\u0000c<&>\"'")).toBe("a\ufffdb\ufffdc&lt;&amp;&gt;&quot;&#39;");
});

it("marks whole words only, whatever their case", () => {
  expect(highlight("Mangoes and MANGO, man-go", ["mango"]).text).toBe("Mangoes and <mark>MANGO</mark>, man-go");
});

it("draws a bar as long as its rate, with a whisker from low to high", () => {
  const { text } = rateBars(rate(1, 2, 0.25, 0.75), null);
  expect(text).toContain('class="suspect" x="0" y="2" width="180"');
  expect(text).toContain("M90 8H270");
});
