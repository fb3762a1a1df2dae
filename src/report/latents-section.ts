/** The latents of an audit's answer and of its methods' lists, card by card. */
import { type Html, html } from "./html.js";
import { latentCard } from "./latent-card.js";
import type { StoredAudit } from "./stored-audit.js";
import type { StoredCard } from "./stored-reading.js";

/** What the latents of the answer's parts fire on and say; nothing where there is no answer. */
export function partLatents({ trigger, latents }: StoredAudit): Html | null {
  const cards = latents.filter(({ id }) => answerIds(trigger).has(id));
  if (cards.length === 0) return null;
  return html`<section><h2>What the answer's latents fire on</h2>
    <p class="small">A label is someone's guess. Here is what each latent fires on in the half of the corpus that was searched (strongest prompts, the firing word marked and in it the token, where it is a piece of the word), which tokens it fires at, which it raises and lowers through the model's last layer alone, and its score by each method beside the controls.</p>
    ${cards.map(anchored)}</section>`;
}

/** Cards of the other latents that methods listed or hypotheses named, folded up. */
export function otherLatents({ trigger, latents }: StoredAudit): Html | null {
  const cards = latents.filter(({ id }) => !answerIds(trigger).has(id));
  if (cards.length === 0) return null;
  return html`<section><h2>Other latents that were listed</h2>${cards.map((card) => html`<details><summary>${card.id} <span class="small">${card.label ?? "no label"}</span></summary>${anchored(card)}</details>`)}</section>`;
}

/** The card that the methods' tables link to. */
function anchored(card: StoredCard): Html {
  return latentCard(card, latentAnchor(card.id));
}

export function latentAnchor(id: number): string {
  return `latent-${id}`;
}

function answerIds(trigger: StoredAudit["trigger"]): ReadonlySet<number> {
  return new Set(trigger?.parts.flatMap(({ latents }) => latents) ?? []);
}
