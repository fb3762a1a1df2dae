/** Latents of a part, as flags give them. */
import type { Part } from "../../audit/concepts/detector.js";
import { parsePart } from "../../audit/verify.js";
import { InputError, quote } from "../../formats/input-error.js";

/** "12,99" or "!7". InputError for anything else; whoever gives a word is told how latents are found by words. */
export function partOf(text: string, latents: number, flag = "--part"): Part {
  if (/\p{L}/u.test(text))
    throw new InputError(
      `${flag} ${quote(text)}: give latent ids, such as 12,99; \`antecedent sae latents --model NAME --search ${quote(text.replace(/^\s*!\s*/u, ""), 40)}\` finds them by their labels`,
    );
  return parsePart(text, latents, flag);
}
