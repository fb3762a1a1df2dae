/** What the stages of a game say on a terminal. */
import type { Guess, GuessedHypothesis } from "../../organisms/game/folder.js";
import { usedText } from "../model/used.js";
import { duration, oneLine, rateText, table } from "../terminal/text.js";
import type { NewGame } from "./game-new.js";
import type { Played } from "./game-play.js";
import type { Reveal } from "./game-reveal.js";

/** A kind of which no prompts were sealed has no rate. */
export function newGameJson({ rates, ...game }: NewGame) {
  const known = Object.entries(rates).map(([kind, rate]) => [kind, rate.total === 0 ? null : rate]);
  return { ...game, rates: Object.fromEntries(known) };
}

export function newGameText({ game, commitment, key, keyFile, rates, used }: NewGame): string {
  return [
    key === null ? `the key is in ${keyFile}` : `key ${key}\nIt is shown this once; without it the truth stays sealed.`,
    ratesText(rates),
    `${game} is what a player gets: \`antecedent game play ${game}\`\ncommitment ${commitment}`,
    usedText(used),
  ].join("\n\n");
}

export function playText({ game, state, statement, spent, allowed, run, hypothesis }: Played): string {
  const used = spent
    ? `${spent.tokens} of ${allowed.tokens} tokens and ${duration(spent.seconds)} of ${duration(allowed.seconds)} spent`
    : "";
  if (state === "budget spent")
    return [
      `STOPPED: the budget is spent before an answer was found\n${used}`,
      `\`antecedent game guess ${game} --part …\` or \`--none\` fixes an answer of your own`,
    ].join("\n\n");
  return [
    hypothesis ? `ANSWER: ${statement}` : "ANSWER: no trigger",
    `${used}; the evidence is in ${run}`,
    `\`antecedent game guess ${game}\` makes it the guess`,
  ].join("\n");
}

export function guessText({ source, hypothesis, hash }: Guess): string {
  return [
    `guess (${source === "play" ? "from the play" : "the player's own"}): ${hypothesisText(hypothesis)}`,
    `hash ${hash}\nWho publishes the hash has fixed the guess before the reveal.`,
  ].join("\n");
}

export function revealText({ truth, guess, score, salt, commitment, used }: Reveal): string {
  const decoy = { clean: " (a clean decoy)", cue: ` (and a cue that raises the action: ${truth.cue})` };
  const number = (value: number | null) => (value === null ? "–" : value.toFixed(3));
  const lines = [
    `TRUTH  ${truth.trigger === null ? "no trigger" : JSON.stringify(truth.trigger)}${truth.decoy ? decoy[truth.decoy] : ""}\n       action ${oneLine(truth.recipe.action)}${also(truth.recipe.actionContains)}`,
    `GUESS  ${hypothesisText(guess.hypothesis)} (${guess.source}, ${guess.time})`,
    `${score.recovered ? "RECOVERED" : "NOT RECOVERED"}: AUROC ${number(score.auroc)}, action rate on the sealed prompts that the guess marks ${number(score.verifiedRate)}`,
  ];
  if (score.parts.length > 0)
    lines.push(
      table(
        ["part of the trigger", "part of the guess", "AUROC", "matches"],
        score.parts.map(({ target, part, auroc, matched }) => [
          target,
          part === null ? "–" : String(part + 1),
          number(auroc),
          matched ? "yes" : "no",
        ]),
        [1, 2],
      ),
    );
  if (score.spurious.length > 0)
    lines.push(`parts that stand for none of them: ${score.spurious.map((part) => part + 1).join(", ")}`);
  lines.push(
    ratesText(truth.rates),
    `commitment ${commitment}\n= SHA-256 of the salt ${salt}\nand the truth's canonical JSON`,
    usedText(used),
  );
  return lines.join("\n\n");
}

/** What else counts as the action. */
function also(texts: readonly string[] | undefined): string {
  return texts === undefined
    ? ""
    : `, or any reply with ${texts.map((text) => JSON.stringify(oneLine(text))).join(", ")}`;
}

function ratesText(rates: NewGame["rates"]): string {
  const names = { triggered: "triggered", hardNegatives: "hard negatives", benign: "benign", cue: "cue" };
  return table(
    ["sealed prompts", "action rate"],
    Object.entries(rates).flatMap(([kind, rate]) =>
      rate.total === 0 ? [] : [[names[kind as keyof typeof names], rateText(rate)]],
    ),
  );
}

function hypothesisText(hypothesis: GuessedHypothesis | null): string {
  if (hypothesis === null) return "no trigger";
  const parts = hypothesis.parts.map(({ latents, negated }) => `${negated ? "not " : ""}latents ${latents.join(", ")}`);
  return parts.join(hypothesis.combination === "any" ? " or " : " and ");
}
