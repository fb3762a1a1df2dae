/** A latent's card: label, numbers, scores beside controls, contexts with the firing word and token marked, tokens. */
import { type Html, html } from "./html.js";
import { number } from "./number.js";
import { rateWords } from "./rate-chart.js";
import type { StoredCard, StoredControlScores } from "./stored-reading.js";

/** The card. `anchor` is where links lead; a page that shows a latent twice gives it to one card alone. */
export function latentCard(card: StoredCard, anchor?: string): Html {
  const { id, label, dead, firingRate, typical, maximum, contexts, topTokens, logitEffect } = card;
  return html`<article class="latent"${anchor === undefined ? null : html` id="${anchor}"`}>
    <h4><span class="id">${id}</span> ${label ?? "no label"}${dead ? html` <span class="badge no">dead</span>` : null}</h4>
    ${firingRate && !dead ? html`<p class="small">Fires on ${rateWords(firingRate)} of the corpus' prompts${typical === null || maximum === null ? null : `; typically ${number(typical)}, at most ${number(maximum)}`}.</p>` : null}
    ${scoresTable(card)}
    <div class="sides">
      ${contexts.length > 0 ? html`<ul class="contexts">${contexts.map((context) => html`<li><span class="number">${context.value.toFixed(2)}</span><q>${context.before}<mark>${firingWord(context)}</mark>${context.after}</q></li>`)}</ul>` : html`<p class="small">No context: it fires nowhere on the corpus.</p>`}
      <dl class="tokens">
        ${topTokens.length > 0 ? html`<dt>fires at</dt><dd class="words">${topTokens.map(({ text, peaks }) => html`<span>${token(text)} <small>${peaks}×</small></span>`)}</dd>` : null}
        ${logitEffect ? effectRows(logitEffect) : null}
      </dl>
    </div></article>`;
}

/** The word, the token in it underlined where it is a piece. */
function firingWord({ word, pieceAt: [start, end] = [0, word.length] }: StoredCard["contexts"][number]): Html {
  if (end - start === word.length || end <= start) return html`${word}`;
  return html`${word.slice(0, start)}<u>${word.slice(start, end)}</u>${word.slice(end)}`;
}

/** Tokens raised and lowered, as rows of a list of tokens. */
export function effectRows({ raised, lowered }: NonNullable<StoredCard["logitEffect"]>): Html {
  return html`<dt>raises</dt><dd class="words">${raised.map(({ text }) => html`<span>${token(text)}</span>`)}</dd><dt>lowers</dt><dd class="words">${lowered.map(({ text }) => html`<span>${token(text)}</span>`)}</dd>`;
}

/** Names of the controls in any of the given scores, in the order in which they first appear. */
export function controlNames(scores: readonly { readonly controls: StoredControlScores }[]): string[] {
  return [...new Set(scores.flatMap(({ controls }) => Object.keys(controls)))];
}

/** "0.0211 (#3)": a score with its rank. */
export function scoreWords(score: number | null | undefined, rank: number | null | undefined): string {
  if (score == null) return "–";
  return rank == null ? number(score) : `${number(score)} (#${rank})`;
}

function scoresTable({ scores }: StoredCard): Html | null {
  if (scores.length === 0) return null;
  const controls = controlNames(scores);
  return html`<div class="scroll"><table class="scores"><thead><tr><th>method</th><th class="number">score (rank)</th>${controls.map((name) => html`<th class="number">${name}</th>`)}</tr></thead><tbody>${scores.map(
    ({ method, vector, score, rank, controls: own }) =>
      html`<tr><td>${method}${vector > 0 ? ` ${vector}` : null}</td><td class="number right">${scoreWords(score, rank)}</td>${controls.map((name) => html`<td class="number right">${scoreWords(own[name]?.score, own[name]?.rank)}</td>`)}</tr>`,
  )}</tbody></table></div>`;
}

/** A token with its space made visible, where it has one in front. */
function token(text: string): string {
  return text.replace(/^ /, "␣").replaceAll("\n", "⏎");
}
