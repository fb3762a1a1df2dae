/** An audit's answer as text: the statement, then the evidence. */
import { type Claim, NONE_FOUND } from "../../audit/answer/statement.js";
import type { Difference } from "../../audit/statistics/statistics.js";
import type { StoredAudit, StoredHypothesis } from "../../report/stored-audit.js";
import type { StoredCard } from "../../report/stored-reading.js";
import { cardText } from "../latents/latent-text.js";
import { usedText } from "../model/used.js";
import { duration, oneLine, rateText, table } from "../terminal/text.js";

/** Latents listed for each method on a terminal; the report has all. */
const SHOWN_LATENTS = 5;
const SHOWN_EXAMPLES = 3;
const SHOWN_BRED = 5;
/** Latents of each part of the answer whose cards are shown, and their contexts. */
const SHOWN_CARDS = 2;
const SHOWN_CONTEXTS = 3;

export function auditText(result: StoredAudit & { readonly run: string }): string {
  const { trigger, hypotheses, methods, controls, budget, tried, bred, used, run } = result;
  const answer = trigger
    ? [
        `TRIGGER: ${trigger.statement}`,
        ...trigger.also.map((statement) => `ALSO CONFIRMED: ${statement}`),
        notShownText(trigger),
        `found by ${trigger.foundBy.join(", ") || "search"}`,
      ].join("\n")
    : [`NO TRIGGER FOUND\ntried: ${tried}`, NONE_FOUND, ...bred.slice(0, SHOWN_BRED).map(bredText)].join("\n");
  return [
    answer,
    ...hypotheses.map(hypothesisText),
    ...answerCards(result).map(cardText),
    table(
      ["method", "latent", "score", "clean rank", "label"],
      methods.flatMap(({ name, vectors }) =>
        vectors.flatMap(({ latents }) =>
          latents
            .slice(0, SHOWN_LATENTS)
            .map(({ id, score, cleanRank, label }, i) => [
              i === 0 ? name : "",
              String(id),
              score.toPrecision(3),
              cleanRank === null ? "–" : String(cleanRank),
              oneLine(label ?? "", 60),
            ]),
        ),
      ),
      [1, 2, 3],
    ),
    table(
      ["control", "action rate", "strongest latents"],
      controls.map(({ name, rate, latents }) => [
        name,
        rate ? rateText(rate) : "–",
        latents
          .slice(0, SHOWN_LATENTS)
          .map(({ id }) => id)
          .join(", "),
      ]),
    ),
    `${duration(budget.seconds)}, ${budget.forwardTokens} tokens forward, ${budget.backwardTokens} backward`,
    usedText(used),
    `run folder ${run}; \`antecedent report ${run}\` makes a page of it`,
  ].join("\n\n");
}

/** A verified hypothesis in words; nothing of one that is not. */
export function claimText(claim: Claim | null): string[] {
  return claim === null ? [] : [claim.statement, notShownText(claim)];
}

function notShownText({ notShown }: Pick<Claim, "notShown">): string {
  return `not shown: ${notShown.join("; ")}`;
}

/** Cards of the answer's latents, first of each part first, with a few contexts. */
function answerCards({ trigger, latents }: StoredAudit): StoredCard[] {
  const known = new Map(latents.map((card) => [card.id, card]));
  const ids = new Set(trigger?.parts.flatMap((part) => part.latents.slice(0, SHOWN_CARDS)) ?? []);
  return [...ids].flatMap((id) => {
    const card = known.get(id);
    return card ? [{ ...card, contexts: card.contexts.slice(0, SHOWN_CONTEXTS) }] : [];
  });
}

/** One hypothesis with the rates of its prompt sets. */
function bredText({ prompt, carriedBy }: StoredAudit["bred"][number]): string {
  const words = oneLine((carriedBy ?? []).join(", "), 60);
  return `bred prompt that brings it: ${oneLine(prompt, 120)}${words === "" ? "" : `   [carried by ${words}]`}`;
}

export function hypothesisText(hypothesis: StoredHypothesis): string {
  const { parts, combination, verified, reason, sets, interaction, examples, askedWithout } = hypothesis;
  const named = parts.map(
    ({ negated, label, latents }) => `${negated ? "not " : ""}"${oneLine(label, 60)}" (latents ${latents.join(", ")})`,
  );
  const lines = [
    `${verified ? "verified" : "not verified"}: ${named.join(combination === "any" ? " or " : " and ")}`,
    `  ${reason}`,
    ...(askedWithout.length > 0
      ? [`  asked beside nothing of ${askedWithout.map(({ label }) => `"${oneLine(label, 60)}"`).join(", ")}`]
      : []),
    table(
      ["prompt set", "action", "action rate", "clean model"],
      sets.map(({ name, expected, rate, cleanRate }) => [
        name,
        expected ? "expected" : "not expected",
        rateText(rate),
        cleanRate ? rateText(cleanRate) : "–",
      ]),
    ).replace(/^/gm, "  "),
  ];
  if (interaction) {
    const inWords = ({ estimate, low, high }: Difference) =>
      `${estimate.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;
    lines.push(
      ...interaction.effects.map(
        (effect) => `  effect of part ${effect.parts.map((part) => part + 1).join(" with part ")}: ${inWords(effect)}`,
      ),
      `  interaction ${inWords(interaction)}`,
    );
  }
  for (const { prompt, carriedBy, together } of examples.slice(0, SHOWN_EXAMPLES)) {
    const words = oneLine([...carriedBy, ...together].join(", "), 60);
    const how = carriedBy.length > 0 ? `carried by ${words}` : `carried by ${words} together`;
    lines.push(`  fires: ${oneLine(prompt, 120)}${words === "" ? "" : `   [${how}]`}`);
  }
  return lines.join("\n");
}
