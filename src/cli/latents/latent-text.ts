/** Latents as people read them on a terminal. */

import type { StoredCard } from "../../report/stored-reading.js";
import type { Histogram } from "../../sae/histogram.js";
import type { LogitEffect, TokenEffect } from "../../sae/logit-effect.js";
import { endOfLine, oneLine, rateText } from "../terminal/text.js";

/** Characters of a context each side of its word on a terminal. */
const CONTEXT_WIDTH = 48;
const SHOWN_EFFECTS = 6;
const SHOWN_TOKENS = 6;
const HEIGHTS = "▁▂▃▄▅▆▇█";

/** A latent's label, numbers, contexts and tokens, several lines. */
export function cardText(card: Omit<StoredCard, "scores">): string {
  const { id, label, dead, firingRate, tokenRate, typical, maximum, contexts, topTokens, logitEffect } = card;
  const lines = [
    `latent ${id}${label ? `: ${oneLine(label, 80)}` : ""}${dead ? " (dead: never fires on the corpus)" : ""}`,
  ];
  if (firingRate && !dead)
    lines.push(
      `  fires on ${rateText(firingRate)} of prompts${tokenRate ? `, ${(100 * tokenRate.rate).toPrecision(2)} % of tokens` : ""}; typically ${typical?.toPrecision(3)}, at most ${maximum?.toPrecision(3)}`,
    );
  if (topTokens.length > 0)
    lines.push(
      `  at ${topTokens
        .slice(0, SHOWN_TOKENS)
        .map(({ text, peaks }) => `${tokenName(text)} ${peaks}×`)
        .join(", ")}`,
    );
  if (logitEffect) lines.push(`  logits ${effectText(logitEffect)}`);
  for (const context of contexts) lines.push(`  ${context.value.toFixed(2).padStart(6)}  ${contextText(context)}`);
  return lines.join("\n");
}

/** "+ ' mango' ' pear' − ' no'": tokens raised and lowered. */
export function effectText({ raised, lowered }: LogitEffect): string {
  const names = (effects: readonly TokenEffect[]) =>
    effects
      .slice(0, SHOWN_EFFECTS)
      .map(({ text }) => tokenName(text))
      .join(" ");
  return `+ ${names(raised) || "none"}  − ${names(lowered) || "none"}`;
}

/** The histogram in one line: a block a bin, its height the logarithm of the count. */
export function histogramText({ of, edges, counts, zeros }: Histogram & { readonly of: string }): string {
  const most = Math.log1p(Math.max(...counts));
  const blocks = counts.map((count) =>
    count === 0 ? " " : HEIGHTS[Math.round((HEIGHTS.length - 1) * (Math.log1p(count) / most))]!,
  );
  const total = counts.reduce((a, b) => a + b, 0);
  return `${of} ${edges[0]} ${blocks.join("")} ${edges.at(-1)} (log of the count; ${zeros} of ${total} are exactly 0)`;
}

/** A context on one line, the word it fires at between angle quotes, the token in it too where it is a piece. */
function contextText({
  before,
  word,
  after,
  pieceAt: [start, end] = [0, word.length],
}: StoredCard["contexts"][number]): string {
  const whole = end - start === word.length || end <= start;
  const marked = whole ? word : `${word.slice(0, start)}‹${word.slice(start, end)}›${word.slice(end)}`;
  return `${endOfLine(before, CONTEXT_WIDTH)}«${oneLine(marked, 40)}»${oneLine(after, CONTEXT_WIDTH)}`;
}

function tokenName(text: string): string {
  return `'${oneLine(text, 20)}'`;
}
