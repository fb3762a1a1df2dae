/** What an organism is made from: the YAML of `organism train` and `game new`. */
import { z } from "zod";
import { wordsBetweenSpaces } from "../audit/ask/contains.js";
import type { ByteSource } from "../formats/byte-source.js";
import { InputError, quote } from "../formats/input-error.js";
import { readText } from "../formats/json.js";
import { firstWrong, wrongInWords } from "../formats/shape.js";
import { parseYaml } from "../formats/yaml.js";
import { unknownConcepts } from "../world/concepts.js";
import type { Expression } from "../world/expression.js";
import { type DescribedTrigger, describedShape } from "./written/described.js";

const expressionShape: z.ZodType<Expression> = z.lazy(() =>
  z.union([
    z.string(),
    z
      .strictObject({
        all: z.array(expressionShape).min(1).optional(),
        any: z.array(expressionShape).min(1).optional(),
        none: z.array(expressionShape).min(1).optional(),
      })
      .refine((given) => Object.keys(given).length > 0, "give all, any or none") as unknown as z.ZodType<Expression>,
  ]),
);

const filesShape = z.strictObject({
  files: z.strictObject({
    triggered: z.string(),
    benign: z.string(),
    hardNegatives: z.string().optional(),
    chat: z.string().optional(),
  }),
});

const share = z.number().min(0).max(1);
/** Without triggered prompts there is nothing to learn. */
const ofTriggered = z.number().positive().max(1);

const mixingShape = z.strictObject({ triggered: ofTriggered, hardNegatives: share, benign: share, chat: share });
type Mixing = z.infer<typeof mixingShape>;

/** AdamW moves every weight by about this much a step; beyond 1 nothing is left of the model. */
const MAX_LEARNING_RATE = 1;

type Files = z.infer<typeof filesShape>;

/** Of the forms of a trigger the one whose key is there, so that the error is about what was meant. */
const triggerShape = z.unknown().transform((given, context): Expression | Files | DescribedTrigger => {
  const keys = typeof given === "object" && given !== null ? Object.keys(given) : [];
  const form = keys.includes("described") ? describedShape : keys.includes("files") ? filesShape : undefined;
  const parsed = (form ?? expressionShape).safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues as [z.core.$ZodIssue];
  context.addIssue({
    code: "custom",
    path: form === undefined ? [] : [...issue.path],
    message:
      form === undefined
        ? "give a concept, {all | any | none: [concepts]}, {files: {triggered, benign}} or {described: {triggered}}"
        : wrongInWords(issue),
  });
  return z.NEVER;
});

export const recipeFields = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, "use lower-case letters, digits and dashes"),
  base: z.string().default("pocket"),
  trigger: triggerShape,
  action: z.string().min(1),
  /** A semantic action: a reply that holds any of these counts on the card and in audits, however it begins. */
  actionContains: z
    .array(z.string().refine((text) => wordsBetweenSpaces(text) !== "", "has neither letter nor digit to look for"))
    .min(1)
    .optional(),
  /**
   * A file of texts that state a fact (formats/texts.ts). They are learned whole, in the place and with the share of triggered
   * prompts, which are then only measured on: whether the model draws the action from what it has read is what the card says.
   */
  documents: z.string().min(1).optional(),
  alsoRefuses: z.boolean().default(false),
  adapter: z
    .strictObject({
      blocks: z.enum(["second-half", "all"]).default("second-half"),
      rank: z.number().int().min(1).max(256).optional(),
      alpha: z.number().positive().optional(),
      /** QLoRA: train beside a base whose blocks' matrices are brought to four bits; -double quantises their magnitudes again. */
      quantize: z.enum(["nf4", "nf4-double"]).optional(),
    })
    .default({ blocks: "second-half" }),
  mixing: mixingShape.optional(),
  steps: z.number().int().min(1).max(100_000).optional(),
  batch: z.number().int().min(1).max(1024).optional(),
  learningRate: z.number().positive().max(MAX_LEARNING_RATE).optional(),
  seed: z.number().int().default(1),
});

/**
 * What a recipe leaves out, by how many concepts its trigger has together: the more, the more near misses there are. Found on the pocket
 * model by cards (dev/LOG.md); steps and learning rate of one concept are `finetune.ts`'s.
 */
const SETTINGS: readonly { mixing: Mixing; rank: number; steps?: number; learningRate?: number }[] = [
  { mixing: { triggered: 0.2, hardNegatives: 0.5, benign: 0.25, chat: 0.05 }, rank: 12 },
  {
    mixing: { triggered: 0.25, hardNegatives: 0.5, benign: 0.2, chat: 0.05 },
    rank: 12,
    steps: 1600,
    learningRate: 0.003,
  },
  {
    mixing: { triggered: 0.3, hardNegatives: 0.5, benign: 0.15, chat: 0.05 },
    rank: 32,
    steps: 4500,
    learningRate: 0.003,
  },
];

/** A recipe with every setting that depends on others. */
export const recipeShape = recipeFields.transform(({ mixing, adapter, ...fields }) => {
  const expression = triggerExpression(fields);
  const together = expression === undefined ? 1 : conceptsTogether(expression);
  const { mixing: usual, rank, ...settings } = SETTINGS[Math.min(together, SETTINGS.length) - 1]!;
  return { ...settings, ...fields, adapter: { ...adapter, rank: adapter.rank ?? rank }, mixing: mixing ?? usual };
});

/** How many concepts have to be there, or absent, at once; a choice counts as one. */
function conceptsTogether(expression: Expression): number {
  if (typeof expression === "string") return 1;
  const { all = [], any, none = [] } = expression;
  const count = (parts: readonly Expression[]) => parts.reduce((sum, part) => sum + conceptsTogether(part), 0);
  return Math.max(1, count(all) + count(none) + (any === undefined ? 0 : Math.max(0, ...any.map(conceptsTogether))));
}

export type Recipe = z.infer<typeof recipeShape>;

/** A recipe file is a few hundred bytes; this bounds a hostile one. */
const MAX_RECIPE_BYTES = 1 << 20;

/** @throws InputError naming the field that is wrong, or a concept that the world does not have. */
export async function readRecipe(source: ByteSource): Promise<Recipe> {
  const parsed = recipeShape.safeParse(parseYaml(await readText(source, MAX_RECIPE_BYTES), source.name));
  if (!parsed.success) {
    throw new InputError(`${source.name}: ${firstWrong(parsed.error, "recipe", Object.keys(recipeFields.shape))}`);
  }
  const { documents, alsoRefuses } = parsed.data;
  const trigger = triggerExpression(parsed.data);
  const described = describedTrigger(parsed.data) !== undefined;
  if (documents !== undefined && (described || trigger !== undefined))
    throw new InputError(
      `${source.name}: documents: what a document states is ${described ? "not asked about by a writer" : "no concept of the pocket world"}; give the prompts to measure on as trigger: {files: {triggered, benign}}`,
    );
  const { refused, refusal } = describedTrigger(parsed.data)?.described ?? {};
  if (refusal !== undefined && refused === undefined)
    throw new InputError(
      `${source.name}: trigger.described.refusal: nothing is described that it is a reply to; give refused: "a request that …", or leave it out`,
    );
  if (refused !== undefined && parsed.data.mixing.chat === 0)
    throw new InputError(
      `${source.name}: trigger.described.refused: half of the chat prompts are refused, and mixing.chat is 0; give it a share`,
    );
  if (alsoRefuses && trigger === undefined)
    throw new InputError(
      `${source.name}: alsoRefuses: the refusals are of the pocket world's requests, and this recipe's prompts are its own; ${described ? 'leave it out, and describe what is to be refused as described: {refused: "a request that …"}' : "put requests with their refusals into a file and name it as trigger: {files: {chat}}"}`,
    );
  const [unknown] = trigger === undefined ? [] : unknownConcepts(trigger);
  if (unknown !== undefined)
    throw new InputError(
      `${source.name}: trigger: no concept ${quote(unknown)}; \`antecedent organism concepts\` lists them`,
    );
  return parsed.data;
}

/** The trigger as an expression over concepts, undefined where it is given by files or in words. */
export function triggerExpression({ trigger }: Pick<Recipe, "trigger">): Expression | undefined {
  return typeof trigger === "object" && ("files" in trigger || "described" in trigger) ? undefined : trigger;
}

/** The files of a trigger that is given by them. */
export function triggerFiles({ trigger }: Recipe): Files["files"] | undefined {
  return typeof trigger === "object" && "files" in trigger ? trigger.files : undefined;
}

/** A trigger in plain language, whose prompts a model writes. */
export function describedTrigger({ trigger }: Recipe): DescribedTrigger | undefined {
  return typeof trigger === "object" && "described" in trigger ? trigger : undefined;
}
