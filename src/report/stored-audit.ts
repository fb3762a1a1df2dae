/** result.json of a run folder, checked: a report may be made from a file that someone sent. */
import { z } from "zod";
import type { ByteSource } from "../formats/byte-source.js";
import { InputError } from "../formats/input-error.js";
import { readJson } from "../formats/json.js";
import { firstWrong } from "../formats/shape.js";
import { card, controlScores, explained, histogram, rate, type Unchanging } from "./stored-reading.js";

/** Results hold examples and lists of latents: a few MB at most. */
const MAX_RESULT_BYTES = 64 << 20;

const part = z.object({
  latents: z.array(z.int().min(0)),
  negated: z.boolean(),
  label: z.string(),
  words: z.array(z.string()).default([]),
  exceptWords: z.array(z.string()).default([]),
});
const combination = z.enum(["single", "all", "any", "other"]);
const interval = z.object({ estimate: z.number(), low: z.number(), high: z.number() });
const loss = z.object({ initial: z.number(), final: z.number() });

const hypothesis = z.object({
  parts: z.array(part).min(1),
  combination,
  rate,
  cleanRate: rate.nullable(),
  interaction: interval
    .extend({ effects: z.array(interval.extend({ parts: z.array(z.int()).default([]) })).default([]) })
    .nullable(),
  verified: z.boolean(),
  reason: z.string(),
  pValue: z.number(),
  allowedError: z.number(),
  sets: z.array(
    z.object({
      name: z.string(),
      present: z.array(z.boolean()),
      expected: z.boolean().default(false),
      rate,
      cleanRate: rate.nullable(),
      byKind: z.record(z.string(), rate).default({}),
    }),
  ),
  recipes: z.array(z.object({ name: z.string(), rate })).default([]),
  askedWithout: z.array(part).default([]),
  examples: z
    .array(
      z.object({
        prompt: z.string(),
        kind: z.string(),
        logprob: z.number().nullable(),
        cleanLogprob: z.number().nullable(),
        carriedBy: z.array(z.string()),
        together: z.array(z.string()).default([]),
      }),
    )
    .default([]),
});

const method = z.object({
  name: z.string(),
  seconds: z.number(),
  vectors: z.array(
    z.object({
      index: z.int(),
      norm: z.number(),
      loss,
      steps: z.int(),
      latents: z.array(
        z.object({
          id: z.int(),
          score: z.number(),
          cleanRank: z.int().nullable(),
          label: z.string().nullable(),
          controls: controlScores,
        }),
      ),
      steered: rate.nullable(),
      random: rate.nullable(),
      histogram: histogram.nullable().default(null),
      explained: explained.nullable().default(null),
    }),
  ),
});

const storedAudit = z.object({
  name: z.string().default("audit"),
  trigger: z
    .object({
      statement: z.string(),
      also: z.array(z.string()).default([]),
      notShown: z.array(z.string()).default([]),
      combination,
      parts: z.array(part).min(1),
      rate,
      foundBy: z.array(z.string()),
    })
    .nullable(),
  hypotheses: z.array(hypothesis),
  methods: z.array(method),
  controls: z.array(
    z.object({
      name: z.string(),
      what: z.string(),
      rate: rate.nullable(),
      latents: z.array(z.object({ id: z.int(), score: z.number() })),
    }),
  ),
  latents: z.array(card).default([]),
  budget: z.object({ forwardTokens: z.number(), backwardTokens: z.number(), seconds: z.number() }),
  bred: z
    .array(
      z.object({
        prompt: z.string(),
        logprob: z.number().nullable(),
        cleanLogprob: z.number().nullable(),
        carriedBy: z.array(z.string()).nullable().default(null),
      }),
    )
    .default([]),
  tried: z.string().default(""),
  candidates: z.array(z.object({ id: z.int(), ranks: z.record(z.string(), z.number()) })).default([]),
  seed: z.int().optional(),
  used: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).default({}),
});

export type StoredAudit = Unchanging<z.infer<typeof storedAudit>>;
export type StoredHypothesis = StoredAudit["hypotheses"][number];
export type StoredMethod = StoredAudit["methods"][number];
export type StoredPart = Unchanging<z.infer<typeof part>>;

/** Reads and checks a result. InputError says which field is not as an audit writes it. */
export async function readStoredAudit(source: ByteSource): Promise<StoredAudit> {
  const parsed = storedAudit.safeParse(await readJson(source, MAX_RESULT_BYTES));
  if (parsed.success) return parsed.data;
  throw new InputError(`${source.name}: ${firstWrong(parsed.error, "the file")}; is this the result.json of an audit?`);
}
