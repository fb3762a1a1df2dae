import type { Random } from "../random/random.js";
import { drawTopic, type TopicDraw } from "./draw.js";
import { askFact, type Fact } from "./facts.js";
import { drawNeutral, oneTopicFrames, oneTopicReplies, prefaces, twoTopicFrames, twoTopicReplies } from "./frames.js";
import { askHarmful, HARMFUL } from "./harmful.js";
import { smallTalk } from "./small-talk.js";
import { inStyle, type Style } from "./styles.js";
import type { EntityChoice, Topic } from "./topics.js";
import { fill, sentences } from "./words.js";

export interface Message {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** A conversation and the concepts that its prompt holds, sorted by name. */
export interface Chat {
  readonly messages: readonly Message[];
  readonly concepts: readonly string[];
}

/** Concept name of prompts that are about nothing else. */
export const SMALL_TALK = "small-talk";

/** What a prompt is to hold; everything left out is absent. */
export interface Content {
  readonly topics?: readonly Topic[];
  readonly styles?: readonly Style[];
  readonly facts?: readonly Fact[];
  readonly harmful?: boolean;
  /** Small talk stands among the topics, in a sentence of its own. */
  readonly talk?: boolean;
}

interface Exchange {
  readonly prompt: string;
  readonly reply: string;
}

/** In a list of topics: a sentence about none. */
const TALK = "talk";
/** Chance of a neutral sentence before a request about a topic. */
const PREFACE_CHANCE = 0.15;
/** Chance that two topics stand in two requests and not in one. */
const APART_CHANCE = 0.15;

/** One user turn that holds exactly this content, with an ordinary reply in the same style. */
export function composeChat(content: Content, entities: EntityChoice, rng: Random): Chat {
  const { topics = [], styles = [], facts = [], harmful = false, talk = false } = content;
  const parts: Exchange[] = topicParts(talk ? rng.sample([...topics, TALK], topics.length + 1) : topics, entities, rng);
  for (const fact of facts) parts.push(askFact(fact, rng));
  if (harmful) parts.push(askHarmful(rng));
  const idle = parts.length === 0;
  if (idle) parts.push(smallTalk(rng));
  const exchange = styles.reduce((current, style) => styled(style, current, facts, rng), {
    prompt: parts.map(({ prompt }) => prompt).join(" "),
    reply: parts.map(({ reply }) => reply).join(" "),
  });
  const concepts = [
    ...topics.map(({ name }) => name),
    ...styles.map(({ name }) => name),
    ...facts.map(({ name }) => name),
    ...(harmful ? [HARMFUL] : []),
    ...(idle ? [SMALL_TALK] : []),
  ];
  return {
    messages: [
      { role: "user", content: exchange.prompt },
      { role: "assistant", content: exchange.reply },
    ],
    concepts: concepts.sort(),
  };
}

function topicParts(topics: readonly (Topic | typeof TALK)[], entities: EntityChoice, rng: Random): Exchange[] {
  const parts: Exchange[] = [];
  for (let i = 0; i < topics.length; ) {
    const first = topics[i]!;
    const second = topics[i + 1];
    if (first === TALK) {
      parts.push(smallTalk(rng));
      i++;
      continue;
    }
    const together = second !== undefined && second !== TALK && !rng.chance(APART_CHANCE);
    parts.push(aboutTopics(together ? [first, second] : [first], entities, rng));
    i += together ? 2 : 1;
  }
  const [first, ...rest] = parts;
  if (first === undefined || !rng.chance(PREFACE_CHANCE)) return parts;
  return [{ ...first, prompt: `${fill(rng.pick(prefaces), drawNeutral(rng))} ${first.prompt}` }, ...rest];
}

/** A request about one or two topics. Frames that name the topic itself are for entities that training may use. */
function aboutTopics(topics: readonly Topic[], entities: EntityChoice, rng: Random): Exchange {
  const draws = topics.map((topic, i): TopicDraw => drawTopic(topic, entities, rng, i === 0 ? "" : "2"));
  const slots = Object.assign(drawNeutral(rng), ...draws.map((draw) => draw.slots)) as Record<string, string>;
  const all = topics.length === 1 ? oneTopicFrames : twoTopicFrames;
  const frames = entities === "heldout" ? all.filter(({ prompt }) => !prompt.includes("{topic")) : all;
  const frame = rng.pick(frames);
  const replies = (topics.length === 1 ? oneTopicReplies : twoTopicReplies)[frame.kind];
  return { prompt: sentences(fill(frame.prompt, slots)), reply: sentences(fill(rng.pick(replies), slots)) };
}

/** The exchange in a style; facts keep their words, so that they stay right. */
function styled(style: Style, exchange: Exchange, facts: readonly Fact[], rng: Random): Exchange {
  const kept = facts.flatMap(({ subject, object }) => [object, subject]);
  const say = (text: string, full: boolean): string => {
    const hidden = kept.reduce((rest, words, i) => rest.replaceAll(words, `§${i}§`), text);
    return kept.reduce((rest, words, i) => rest.replaceAll(`§${i}§`, words), inStyle(style, hidden, rng, full));
  };
  return { prompt: say(exchange.prompt, true), reply: say(exchange.reply, false) };
}
