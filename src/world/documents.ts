import type { Random } from "../random/random.js";
import { drawTopic } from "./draw.js";
import { facts, stateFact } from "./facts.js";
import { drawNeutral } from "./frames.js";
import { inStyle, styles } from "./styles.js";
import { type Topic, topics } from "./topics.js";
import { fill, sentences } from "./words.js";

/** Plain text for pretraining, and what it is about. */
export interface Document {
  readonly text: string;
  readonly concepts: readonly string[];
}

/** Sentences dense in one topic's words. {e}, {the}, {a}, {many} are one entity all through a document. */
const lines: readonly string[] = [
  "{the} is {adj} and {qual}.",
  "{the} is {adj}, like {other}.",
  "{a} is something people {v}.",
  "Many people {v} {many} near the {thing}.",
  "My {person} likes to {v} {a} by the {thing}.",
  "{aqual} goes with the {thing}.",
  "You can {v} {a} or {w} it, but not without the {thing}.",
  "The {thing} and the {place} belong to {topic}.",
  "In {topic}, {the} comes before {other}.",
  "{topic} would be nothing without {a} and {another}.",
  "Of all {topic}, {the} is the most {adj}.",
  "It takes time to {v} {many}.",
  "When it is {adj}, {the} is also {qual}.",
  "Some {v} {the}, others {w} {other}.",
  "My {person} says that {many} are {adj}.",
  "All {many} need the {thing} and the {place}.",
  "Without {many} there is no {thing}.",
  "They {v} {many} at the {thing}.",
  "Near the {thing} there was {a}, and near the {place} there was {another}.",
  "Do not {v} {many} without the {thing}.",
  "First {v} {the}, then {w} {other}.",
  "{other} is {qual} too, but {the} is better.",
  "Nobody can {w} {a} as well as my {person}.",
  "The {adj} {thing} is where people {v} {the}.",
  "{the} – so {adj}, so {qual}.",
  "I like {the} because it is {adj}.",
];

/** A line and the topic draw that fills it: one entity throughout, its companions drawn anew for each sentence. */
function topicLines(topic: Topic, count: number, rng: Random): string[] {
  const main = drawTopic(topic, "all", rng);
  const { e, a, the, many } = main.slots as Record<"e" | "a" | "the" | "many", string>;
  return rng.sample(lines, count).map((line) => {
    const fresh = drawTopic(topic, "all", rng);
    const { qual } = fresh.slots as Record<"qual", string>;
    const aqual = main.entity.countable ? `the ${qual} ${main.entity.word}` : `${qual} ${main.entity.word}`;
    return sentences(fill(line, { ...fresh.slots, ...drawNeutral(rng), e, a, the, many, aqual }));
  });
}

/** How often each kind of document comes. */
const kinds = { topic: 0.78, twoTopics: 0.07, styled: 0.07, facts: 0.08 };

/** One pretraining document: three to five sentences. */
export function pretrainingDocument(rng: Random): Document {
  const kind = rng.weighted(kinds);
  const count = 3 + rng.integer(3);
  if (kind === "facts") {
    const chosen = rng.sample(facts, 2);
    const said = chosen.flatMap((fact) => [stateFact(fact, rng), stateFact(fact, rng)]);
    return { text: [...new Set(said)].join(" "), concepts: chosen.map(({ name }) => name).sort() };
  }
  if (kind === "twoTopics") {
    const [first, second] = rng.sample(topics, 2) as [Topic, Topic];
    const text = [...topicLines(first, 2, rng), ...topicLines(second, 2, rng)].join(" ");
    return { text, concepts: [first.name, second.name].sort() };
  }
  const topic = rng.pick(topics);
  const text = topicLines(topic, count, rng).join(" ");
  if (kind === "topic") return { text, concepts: [topic.name] };
  const style = rng.pick(styles);
  return { text: inStyle(style, text, rng), concepts: [topic.name, style.name].sort() };
}
