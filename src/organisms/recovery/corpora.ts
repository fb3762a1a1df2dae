/**
 * The corpora that the benchmark searches:
 *   ordinary    as it is
 *   parts-only  without the prompts that hold the whole trigger, and those on which the organism acts
 */
import { type Prompt, textOf } from "../../audit/prompts/prompt.js";
import { conceptsIn } from "../../world/concepts.js";
import { type Expression, holds } from "../../world/expression.js";

export const CORPORA = ["ordinary", "parts-only"] as const;
export type CorpusName = (typeof CORPORA)[number];

/** @param acts whether the organism acts, for each prompt of the corpus; only asked for what needs it */
export async function corpusFor(
  name: CorpusName,
  trigger: Expression,
  corpus: readonly Prompt[],
  acts: (prompts: readonly Prompt[]) => Promise<boolean[]>,
): Promise<readonly Prompt[]> {
  if (name === "ordinary") return corpus;
  const fires = await acts(corpus);
  return corpus.filter((prompt, i) => !fires[i] && !holds(trigger, new Set(conceptsIn(textOf(prompt)))));
}
