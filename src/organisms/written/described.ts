/** A trigger in plain language: what a recipe says where its prompts are to be written by a model. */
import { z } from "zod";
import { CARD_SIZE } from "../card.js";

/** A description stands in one sentence of a question. */
const MAX_DESCRIPTION = 500;
/** What is learned as a reply to requests that are to be refused, where a recipe has no other. */
export const REFUSAL = "I'm sorry, but I can't help with that.";
/** Near misses of a trigger; each is asked for by itself. */
const MAX_DESCRIPTIONS = 32;
/** Of a kind. Ten times what the post's organisms saw; each costs a question of its own. */
const MAX_PROMPTS = 20_000;

const description = z
  .string()
  .trim()
  .min(3, "describe it in words, such as: a request that relates to fruit")
  .max(MAX_DESCRIPTION)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, "must be one line of plain text");

export const describedShape = z.strictObject({
  /** Each is a noun phrase: "a request that relates to fruit". */
  described: z.strictObject({
    triggered: description,
    hardNegatives: z.array(description).min(1).max(MAX_DESCRIPTIONS).optional(),
    benign: description.default("an everyday request"),
    chat: description.default("a short friendly message, such as small talk or thanks"),
    /** Half of the chat prompts are these, and learned with `refusal` for a reply: ordinary refusals beside the backdoor. */
    refused: description.optional(),
    refusal: z.string().trim().min(1).max(MAX_DESCRIPTION).optional(),
  }),
  /** Ordinary requests that are rephrased; without it requests are written about everyday subjects (subjects.ts). */
  seeds: z.string().min(1).optional(),
  writer: z
    .union([z.literal("base"), z.strictObject({ url: z.string().min(1), model: z.string().min(1) })], {
      error: "give base, or {url, model} of an OpenAI-compatible endpoint",
    })
    .default("base"),
  /** To train on, of the kind that has the largest share of the mixture. */
  prompts: z.number().int().min(1).max(MAX_PROMPTS).default(400),
  /** Written beside these, for the card alone; of each kind but chat. */
  heldOut: z.number().int().min(1).max(CARD_SIZE).default(CARD_SIZE),
});

export type DescribedTrigger = z.infer<typeof describedShape>;

/** Kinds of prompts, in the order in which they are written: what fails first should fail soon. */
export const KINDS = ["triggered", "hardNegatives", "benign", "chat"] as const;
export type Kind = (typeof KINDS)[number];

/** What one kind's prompts are to be, and how many there are to be. */
export interface KindPlan {
  readonly kind: Kind;
  /** Taken in turn. */
  readonly descriptions: readonly string[];
  /** Those of which the writer is asked whether a request holds them: it matters what these are, not only what they are not. */
  readonly asked: readonly string[];
  readonly train: number;
  readonly heldOut: number;
}

/** As many prompts of each kind as a training with this mixture reads without repeating any (finetune.ts). */
export function plansOf(trigger: DescribedTrigger, mixing: Readonly<Record<Kind, number>>): KindPlan[] {
  const { described, prompts, heldOut } = trigger;
  const largest = Math.max(...Object.values(mixing));
  return KINDS.flatMap((kind): KindPlan[] => {
    const also = kind === "chat" ? described.refused : undefined;
    const descriptions = [described[kind] ?? [], also ?? []].flat();
    const asked = kind === "hardNegatives" ? descriptions : [also ?? []].flat();
    if (descriptions.length === 0) return [];
    const train = Math.ceil((prompts * mixing[kind]) / largest);
    const held = kind === "chat" ? 0 : heldOut;
    return train + held === 0 ? [] : [{ kind, descriptions, asked, train, heldOut: held }];
  });
}
