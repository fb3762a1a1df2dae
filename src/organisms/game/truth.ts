/** What a game seals: the recipe with the seed that was drawn, the trigger, and prompts that nobody has seen. */
import { z } from "zod";
import { InputError } from "../../formats/input-error.js";
import { firstWrong } from "../../formats/shape.js";
import { recipeFields, recipeShape } from "../recipe.js";
import { gameTermsShape } from "./folder.js";

/**
 * What keeps a player from taking for granted that there is a trigger and nothing else. clean: an organism of the same shape,
 * finetuned on the same prompts, with the action nowhere. cue: besides the trigger an ordinary cue raises the action, without
 * making it what the model mostly says.
 */
export const DECOYS = ["clean", "cue"] as const;
export type Decoy = (typeof DECOYS)[number];

/** Kinds of sealed prompts. `cue` has prompts only where there is a cue. */
export const SEALED_KINDS = ["triggered", "hardNegatives", "benign", "cue"] as const;
export type SealedKind = (typeof SEALED_KINDS)[number];

const sealedPrompt = z.strictObject({
  messages: z.array(z.strictObject({ role: z.string(), content: z.string() })).min(1),
  /** Concepts of the world that the prompt holds; null where the prompts came from files. */
  concepts: z.array(z.string()).nullable(),
});
const rate = z.strictObject({ count: z.int(), total: z.int(), rate: z.number(), low: z.number(), high: z.number() });

const truthShape = z.strictObject({
  version: z.literal(1),
  /** As in the recipe; null in a clean decoy, which has none. */
  trigger: recipeFields.shape.trigger.nullable(),
  decoy: z.enum(DECOYS).nullable(),
  /** The concept whose prompts raise the action in a cue decoy. */
  cue: z.string().nullable(),
  /** With the seed that this game drew: whoever knows it can train the same adapter again. */
  recipe: recipeShape,
  /** Action rates on the sealed prompts, measured when the game was made. */
  rates: z.record(z.enum(SEALED_KINDS), rate),
  sealed: z.record(z.enum(SEALED_KINDS), z.array(sealedPrompt)),
  game: gameTermsShape,
  /** SHA-256 of the files that players get, so that the reveal scores the organism that was sealed. */
  files: z.record(z.string().regex(/^[\w-][\w.-]*$/), z.string()),
});

export type Truth = z.infer<typeof truthShape>;
export type SealedPrompt = z.infer<typeof sealedPrompt>;

/** Checks what a seal held. InputError where another version of this program sealed it. */
export function parseTruth(value: unknown, where: string): Truth {
  const parsed = truthShape.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new InputError(
    `${where}: the truth's ${firstWrong(parsed.error, "text")}; reveal it with the version that made the game`,
  );
}
