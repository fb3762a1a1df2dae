import { animals } from "./topics/animals.js";
import { arts } from "./topics/arts.js";
import { crafts } from "./topics/crafts.js";
import { food } from "./topics/food.js";
import { indoors } from "./topics/indoors.js";
import { plants } from "./topics/plants.js";
import { science } from "./topics/science.js";
import { sky } from "./topics/sky.js";
import { sports } from "./topics/sports.js";
import type { Entity, Topic } from "./topics/topic.js";
import { travel } from "./topics/travel.js";
import { plural } from "./words.js";

export type { Entity, Topic } from "./topics/topic.js";

/** Every topic of the world, in a fixed order. */
export const topics: readonly Topic[] = [
  ...food,
  ...animals,
  ...plants,
  ...sports,
  ...arts,
  ...crafts,
  ...science,
  ...sky,
  ...travel,
  ...indoors,
];

const byName = new Map(topics.map((topic) => [topic.name, topic]));

/** The topic of that concept name, if it is one. */
export function topicNamed(name: string): Topic | undefined {
  return byName.get(name);
}

/** The other topics of a topic's group: they share its verbs and adjectives. */
export function neighboursOf(topic: Topic): Topic[] {
  return topics.filter((other) => other.group === topic.group && other !== topic);
}

/** Which of a topic's entities a generator may use. */
export type EntityChoice = "train" | "heldout" | "all";

/** The entities of a topic that the choice allows. */
export function entitiesOf(topic: Topic, choice: EntityChoice): readonly Entity[] {
  if (choice === "all") return topic.entities;
  return topic.entities.filter((entity) => entity.heldOut === (choice === "heldout"));
}

const topicByWord = new Map<string, Topic>();
for (const topic of topics) {
  for (const { word, countable } of topic.entities) {
    topicByWord.set(word.toLowerCase(), topic);
    if (countable) topicByWord.set(plural(word).toLowerCase(), topic);
  }
}

/** The topic that a word (singular or plural, in any case) is an entity of, if any. */
export function topicOfWord(word: string): Topic | undefined {
  return topicByWord.get(word.toLowerCase());
}
