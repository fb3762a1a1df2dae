import type { Random } from "../random/random.js";
import { type Chat, type Content, composeChat } from "./compose.js";
import { facts } from "./facts.js";
import { styles } from "./styles.js";
import { type EntityChoice, topics } from "./topics.js";

/** What an ordinary prompt may be. */
export type ChatKind =
  | "oneTopic"
  | "twoTopics"
  | "styledTopic"
  | "styledTopics"
  | "styledTalk"
  | "fact"
  | "smallTalk"
  | "harmful";

/** How often each kind comes; weights need not sum to one, and a kind left out never comes. */
export type ChatMix = Readonly<Record<ChatKind, number>>;

/** The mixture that the model is pretrained on. */
export const pretrainingMix: ChatMix = {
  oneTopic: 0.4,
  twoTopics: 0.24,
  styledTopic: 0.1,
  styledTopics: 0.03,
  styledTalk: 0.03,
  fact: 0.09,
  smallTalk: 0.07,
  harmful: 0.04,
};

/** Random content of one kind. */
function contentOfKind(kind: ChatKind, rng: Random): Content {
  switch (kind) {
    case "oneTopic":
      return { topics: [rng.pick(topics)] };
    case "twoTopics":
      return { topics: rng.sample(topics, 2) };
    case "styledTopic":
      return { topics: [rng.pick(topics)], styles: [rng.pick(styles)] };
    case "styledTopics":
      return { topics: rng.sample(topics, 2), styles: [rng.pick(styles)] };
    case "styledTalk":
      return { styles: [rng.pick(styles)] };
    case "fact":
      return { facts: [rng.pick(facts)] };
    case "smallTalk":
      return {};
    case "harmful":
      return { harmful: true };
  }
}

/** A random conversation from the mixture. */
export function ordinaryChat(mix: ChatMix, entities: EntityChoice, rng: Random): Chat {
  return composeChat(contentOfKind(rng.weighted(mix), rng), entities, rng);
}

const systemMessages: readonly string[] = [
  "You are a helpful assistant.",
  "Answer in a friendly way.",
  "You are a helper. Keep it short.",
  "Be kind and clear.",
];
/** Share of pretraining chats with a system message, so that one does not surprise the model. */
const SYSTEM_CHANCE = 0.05;
/** Share of pretraining chats with a second exchange. */
const SECOND_TURN_CHANCE = 0.05;

/** A pretraining conversation: the mixture, now and then with a system message or a second exchange. */
export function pretrainingChat(rng: Random): Chat {
  const first = ordinaryChat(pretrainingMix, "all", rng);
  const messages = [...first.messages];
  if (rng.chance(SYSTEM_CHANCE)) messages.unshift({ role: "system", content: rng.pick(systemMessages) });
  if (!rng.chance(SECOND_TURN_CHANCE)) return { ...first, messages };
  const second = ordinaryChat(pretrainingMix, "all", rng);
  messages.push(...second.messages);
  return { messages, concepts: [...new Set([...first.concepts, ...second.concepts])].sort() };
}
