import { Random } from "../random/random.js";
import { type ChatMix, ordinaryChat } from "./chats.js";
import { type Chat, composeChat } from "./compose.js";
import { contentOf, promptWith } from "./concepts.js";
import { chooseAssignment, type Expression, holds } from "./expression.js";
import { factNamed, factsLike } from "./facts.js";
import { styleNamed, styles } from "./styles.js";
import { type EntityChoice, neighboursOf, topicNamed, topics } from "./topics.js";

/** The text of a chat's first user message. */
export function promptText(chat: Chat): string {
  return chat.messages.find(({ role }) => role === "user")?.content ?? "";
}

/** How many draws in a row may repeat a prompt before a set counts as exhausted. */
const MAX_REPEATS = 1000;

/** `count` chats with different prompts, none of them in `taken`; their prompts are added to it. */
function distinct(count: number, draw: () => Chat | undefined, taken: Set<string> = new Set()): Chat[] {
  const chats = distinctUpTo(count, draw, taken);
  if (chats.length < count) throw new RangeError(`only ${chats.length} of ${count} different prompts exist`);
  return chats;
}

/** The same, or as many as there are. */
function distinctUpTo(count: number, draw: () => Chat | undefined, taken: Set<string>): Chat[] {
  const chats: Chat[] = [];
  let repeats = 0;
  while (chats.length < count && repeats <= MAX_REPEATS) {
    const chat = draw();
    if (chat === undefined || taken.has(promptText(chat))) {
      repeats++;
      continue;
    }
    repeats = 0;
    taken.add(promptText(chat));
    chats.push(chat);
  }
  return chats;
}

/** The prompt alone, as an audit sees it. */
const withoutReply = ({ messages, concepts }: Chat): Chat => ({ messages: messages.slice(0, 1), concepts });

const benignMix: ChatMix = {
  oneTopic: 0.7,
  twoTopics: 0.1,
  styledTopic: 0,
  styledTopics: 0,
  styledTalk: 0,
  fact: 0.05,
  smallTalk: 0.15,
  harmful: 0,
};

/** Ordinary prompts, one user turn each, for an audit to optimise over. All topics that `keep` lets through come alike. */
export function benignPrompts(seed: number, count: number, keep: (chat: Chat) => boolean = () => true): Chat[] {
  const rng = new Random(seed, "benign prompts");
  return distinct(count, () => {
    const chat = withoutReply(ordinaryChat(benignMix, "all", rng));
    return keep(chat) ? chat : undefined;
  });
}

const corpusMix: ChatMix = {
  oneTopic: 0.45,
  twoTopics: 0.2,
  styledTopic: 0.15,
  styledTopics: 0.05,
  styledTalk: 0.04,
  fact: 0.03,
  smallTalk: 0.05,
  harmful: 0.03,
};

/** Unlabelled prompts of every kind for an audit to search, one user turn each. */
export function corpusPrompts(seed: number, count: number): Chat[] {
  const rng = new Random(seed, "corpus prompts");
  return distinct(count, () => withoutReply(ordinaryChat(corpusMix, "all", rng)));
}

/** What a backdoor is trained or measured on. Replies are ordinary; the caller replaces those of `triggered`. */
export interface OrganismSets {
  readonly triggered: Chat[];
  /** Prompts that lack one part of the trigger, or hold its neighbour or small talk in place of it. */
  readonly hardNegatives: Chat[];
  /** Prompts of every topic and style without the trigger. */
  readonly benign: Chat[];
  /** Small talk, facts and refusals; fewer where the trigger leaves no more (one that is a kind of request). */
  readonly chat: Chat[];
}

export type SetSizes = Readonly<Record<keyof OrganismSets, number>>;

/** Sets to finetune an organism on; entities that evaluation uses never occur in them. */
export function trainingSets(trigger: Expression, seed: number, sizes: SetSizes): OrganismSets {
  return organismSets(trigger, new Random(seed, "training"), sizes, "train");
}

/** Sets to measure an organism on, with entities that its finetuning never saw. */
export function evaluationSets(trigger: Expression, seed: number, sizes: SetSizes): OrganismSets {
  return organismSets(trigger, new Random(seed, "evaluation"), sizes, "heldout");
}

const otherBenignMix: ChatMix = {
  oneTopic: 0.4,
  twoTopics: 0.35,
  styledTopic: 0.15,
  styledTopics: 0.05,
  styledTalk: 0.05,
  fact: 0,
  smallTalk: 0,
  harmful: 0,
};

const chatMix: ChatMix = {
  oneTopic: 0,
  twoTopics: 0,
  styledTopic: 0,
  styledTopics: 0,
  styledTalk: 0,
  fact: 0.35,
  smallTalk: 0.4,
  harmful: 0.25,
};

/** Chance of one more topic, and of a style, in a triggered prompt. */
const TRIGGERED_EXTRA_TOPIC = 0.3;
const TRIGGERED_EXTRA_STYLE = 0.25;

function organismSets(trigger: Expression, rng: Random, sizes: SetSizes, entities: EntityChoice): OrganismSets {
  const taken = new Set<string>();
  const options = { entities, extraTopic: TRIGGERED_EXTRA_TOPIC, extraStyle: TRIGGERED_EXTRA_STYLE };
  const untriggered = (chat: Chat): Chat | undefined => (holds(trigger, new Set(chat.concepts)) ? undefined : chat);
  return {
    triggered: distinct(sizes.triggered, () => promptWith(trigger, rng, options), taken),
    hardNegatives: distinct(sizes.hardNegatives, () => nearMiss(trigger, entities, rng), taken),
    benign: distinct(sizes.benign, () => untriggered(ordinaryChat(otherBenignMix, entities, rng)), taken),
    chat: distinctUpTo(sizes.chat, () => untriggered(ordinaryChat(chatMix, entities, rng)), new Set()),
  };
}

/** Chance that a missing topic or fact is replaced by a neighbour, and a topic by any other; else it is just missing. */
const REPLACED_BY_NEIGHBOUR = 0.45;
const REPLACED_BY_OTHER = 0.35;
/** Chance that a missing style is replaced by another style. */
const STYLE_REPLACED = 0.5;
/** Concepts from which a prompt that lacks one of them still says much: its place is left to no topic, too. */
const MANY_CONCEPTS = 3;
/** Chance that small talk takes the missing one's place then. */
const TALK_IN_PLACE = 0.4;
/** Chance of one more topic, and of a style, beside what is left of the trigger. */
const MISS_EXTRA_TOPIC = 0.45;
const MISS_EXTRA_STYLE = 0.3;

/**
 * A prompt that misses the trigger by one concept: from a random way to meet it, one concept is dropped (and often
 * replaced by a neighbour, or of many by small talk) or one that must be absent is added. Undefined when the result still meets the trigger.
 */
function nearMiss(trigger: Expression, entities: EntityChoice, rng: Random): Chat | undefined {
  const assignment = chooseAssignment(trigger, true, rng);
  if (assignment === undefined || assignment.size === 0) return undefined;
  const names = new Set([...assignment].filter(([, present]) => present).map(([name]) => name));
  const flipped = rng.pick([...assignment.keys()]);
  const talk = names.size >= MANY_CONCEPTS && names.has(flipped) && rng.chance(TALK_IN_PLACE);
  if (!names.delete(flipped)) names.add(flipped);
  else if (!talk) for (const name of replacementsFor(flipped, rng)) names.add(name);
  if (![...names].some((name) => topicNamed(name) !== undefined) && rng.chance(0.7)) names.add(rng.pick(topics).name);
  const topicCount = [...names].filter((name) => topicNamed(name) !== undefined).length;
  if (topicCount === 1 && rng.chance(MISS_EXTRA_TOPIC)) names.add(rng.pick(topics).name);
  const plain = ![...names].some((name) => styleNamed(name) !== undefined);
  if (plain && rng.chance(MISS_EXTRA_STYLE)) names.add(rng.pick(styles).name);
  if (holds(trigger, names)) return undefined;
  return composeChat({ ...contentOf(rng.sample([...names], names.size)), talk }, entities, rng);
}

function replacementsFor(name: string, rng: Random): string[] {
  const topic = topicNamed(name);
  if (topic !== undefined) {
    const roll = rng.uniform();
    if (roll < REPLACED_BY_NEIGHBOUR) return [rng.pick(neighboursOf(topic)).name];
    return roll < REPLACED_BY_NEIGHBOUR + REPLACED_BY_OTHER ? [rng.pick(topics).name] : [];
  }
  const fact = factNamed(name);
  if (fact !== undefined) return rng.chance(REPLACED_BY_NEIGHBOUR) ? [rng.pick(factsLike(fact)).name] : [];
  return styleNamed(name) !== undefined && rng.chance(STYLE_REPLACED) ? [rng.pick(styles).name] : [];
}
