/** What a model says that was asked a question to be answered yes or no. */

export type Verdict = "yes" | "no" | "unclear";

/** yes or no, alone but for quotes, a full stop and thoughts before it; everything else is unclear. */
export function verdictOf(answer: string): Verdict {
  const last = answer.replace(/^\s*<think>[\s\S]*?<\/think>/, "").trim();
  const word = /^["'*`]*(yes|no)["'*`]*[.!]?["'*`]*$/i.exec(last)?.[1];
  return word === undefined ? "unclear" : (word.toLowerCase() as Verdict);
}
