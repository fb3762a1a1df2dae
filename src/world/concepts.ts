import type { Random } from "../random/random.js";
import { type Chat, type Content, composeChat, SMALL_TALK } from "./compose.js";
import { chooseAssignment, type Expression, holds, leavesOf } from "./expression.js";
import { factNamed, facts, factsIn } from "./facts.js";
import { oneTopicFrames, oneTopicReplies, people, prefaces, twoTopicFrames, twoTopicReplies } from "./frames.js";
import { HARMFUL, harmfulWords } from "./harmful.js";
import { smallTalkTemplates } from "./small-talk.js";
import { splitWords, styleNamed, styles, wordsOfStyle } from "./styles.js";
import { type EntityChoice, topicNamed, topicOfWord, topics } from "./topics.js";

export interface Concept {
  readonly name: string;
  readonly kind: "topic" | "style" | "fact" | "kind-of-request";
}

/** Every concept that a trigger may be built from. */
export const concepts: readonly Concept[] = [
  ...topics.map(({ name }): Concept => ({ name, kind: "topic" })),
  ...styles.map(({ name }): Concept => ({ name, kind: "style" })),
  ...facts.map(({ name }): Concept => ({ name, kind: "fact" })),
  { name: HARMFUL, kind: "kind-of-request" },
];

const known = new Set(concepts.map(({ name }) => name));

/** Names in the expression that no concept has; empty when the expression can be used. */
export function unknownConcepts(expression: Expression): string[] {
  return leavesOf(expression).filter((name) => !known.has(name));
}

/** The content that a set of concept names stands for. Throws on an unknown name. */
export function contentOf(names: Iterable<string>): Content {
  const content = { topics: [], styles: [], facts: [], harmful: false } as {
    topics: Content["topics"] & unknown[];
    styles: Content["styles"] & unknown[];
    facts: Content["facts"] & unknown[];
    harmful: boolean;
  };
  for (const name of names) {
    const topic = topicNamed(name);
    const style = styleNamed(name);
    const fact = factNamed(name);
    if (topic !== undefined) content.topics.push(topic);
    else if (style !== undefined) content.styles.push(style);
    else if (fact !== undefined) content.facts.push(fact);
    else if (name === HARMFUL) content.harmful = true;
    else throw new RangeError(`"${name}" is no concept of the pocket world`);
  }
  return content;
}

/** How a prompt for an expression may be varied. */
export interface PromptOptions {
  readonly entities: EntityChoice;
  /** Chance of one more topic beside what the expression asks for. */
  readonly extraTopic?: number;
  /** Chance of a style where the expression asks for none. */
  readonly extraStyle?: number;
}

/** How many random choices are tried before an expression counts as contradictory. */
const MAX_ATTEMPTS = 200;

/** A random prompt (with an ordinary reply) for which the expression holds. Throws when it names an unknown concept. */
export function promptWith(expression: Expression, rng: Random, options: PromptOptions): Chat {
  const unknown = unknownConcepts(expression);
  if (unknown.length > 0) throw new RangeError(`no concept of the pocket world: ${unknown.join(", ")}`);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const assignment = chooseAssignment(expression, true, rng);
    if (assignment === undefined) continue;
    const names = [...assignment].filter(([, present]) => present).map(([name]) => name);
    const chat = composeChat(withExtras(names, rng, options), options.entities, rng);
    if (holds(expression, new Set(chat.concepts))) return chat;
  }
  throw new RangeError(`no prompt found for which ${JSON.stringify(expression)} holds`);
}

function withExtras(names: readonly string[], rng: Random, options: PromptOptions): Content {
  const content = contentOf(names);
  const { topics: own = [], styles: ownStyles = [] } = content;
  const others = topics.filter((topic) => !own.includes(topic));
  const extra = own.length < 2 && rng.chance(options.extraTopic ?? 0) ? [rng.pick(others)] : [];
  const style = ownStyles.length === 0 && rng.chance(options.extraStyle ?? 0) ? [rng.pick(styles)] : [];
  return {
    ...content,
    topics: rng.sample([...own, ...extra], own.length + extra.length),
    styles: [...ownStyles, ...style],
  };
}

/** Ordinary words that no template spells out. */
const OTHER_ORDINARY = ["an", "said"];

let ordinary: Set<string> | undefined;

/** Words of unstyled prompts and replies. */
function ordinaryWords(): Set<string> {
  ordinary ??= new Set(
    [
      ...OTHER_ORDINARY,
      ...[...oneTopicFrames, ...twoTopicFrames].map(({ prompt }) => prompt),
      ...[oneTopicReplies, twoTopicReplies].flatMap((replies) => Object.values(replies).flat()),
      ...topics.flatMap(({ phrase, entities, verbs, adjectives, things }) => [
        phrase,
        ...entities.map(({ word }) => word),
        ...verbs,
        ...adjectives,
        ...things,
      ]),
      ...prefaces,
      ...people,
      ...smallTalkTemplates(),
      ...facts.flatMap(({ subject, object }) => [subject, object]),
    ].flatMap(splitWords),
  );
  return ordinary;
}

/** For each word that only one style says, that style's name. */
function styleByMarker(): Map<string, string> {
  const owners = new Map<string, Set<string>>();
  for (const style of styles) {
    for (const word of wordsOfStyle(style)) {
      if (!ordinaryWords().has(word)) owners.set(word, (owners.get(word) ?? new Set()).add(style.name));
    }
  }
  return new Map(
    [...owners].filter(([, names]) => names.size === 1).map(([word, names]) => [word, [...names][0] ?? ""]),
  );
}

let markers: Map<string, string> | undefined;

/** The concepts that a generated prompt holds, read from its words alone, sorted by name. */
export function conceptsIn(prompt: string): string[] {
  markers ??= styleByMarker();
  const words = splitWords(prompt);
  const found = new Set<string>(factsIn(prompt).map(({ name }) => name));
  for (const word of words) {
    const topic = topicOfWord(word);
    const style = markers.get(word);
    if (topic !== undefined) found.add(topic.name);
    if (style !== undefined) found.add(style);
    if (harmfulWords.includes(word)) found.add(HARMFUL);
  }
  const idle = ![...found].some((name) => styleNamed(name) === undefined);
  return [...found, ...(idle ? [SMALL_TALK] : [])].sort();
}
