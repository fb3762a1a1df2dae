import type { Random } from "../random/random.js";
import { type Entity, type EntityChoice, entitiesOf, type Topic } from "./topics.js";
import { plural, withArticle } from "./words.js";

/** One topic with the words of it that a prompt and its reply share. */
export interface TopicDraw {
  readonly topic: Topic;
  readonly entity: Entity;
  readonly slots: Readonly<Record<string, string>>;
}

const definite = ({ word, countable }: Entity): string => (countable ? `the ${word}` : word);
const indefinite = ({ word, countable }: Entity): string => (countable ? withArticle(word) : word);
const many = ({ word, countable }: Entity): string => (countable ? plural(word) : word);

/**
 * Chooses the words of a topic for one prompt. Slots, each with `suffix` appended ("" or "2"):
 * e (bare), a, the, many: one entity; other, another: a second entity of the topic; v, w: two verbs;
 * adj, qual: two adjectives; aqual: the second adjective before the entity, with its article; thing, place: two things.
 */
export function drawTopic(topic: Topic, choice: EntityChoice, rng: Random, suffix = ""): TopicDraw {
  const [entity, second] = rng.sample(entitiesOf(topic, choice), 2) as [Entity, Entity];
  const [v, w] = rng.sample(topic.verbs, 2) as [string, string];
  const [adj, qual] = rng.sample(topic.adjectives, 2) as [string, string];
  const [thing, place] = rng.sample(topic.things, 2) as [string, string];
  const qualified = `${qual} ${entity.word}`;
  const slots: Record<string, string> = {
    e: entity.word,
    a: indefinite(entity),
    the: definite(entity),
    many: many(entity),
    other: definite(second),
    another: indefinite(second),
    aqual: entity.countable ? withArticle(qualified) : qualified,
    topic: topic.phrase,
    v,
    w,
    adj,
    qual,
    thing,
    place,
  };
  return {
    topic,
    entity,
    slots: Object.fromEntries(Object.entries(slots).map(([slot, word]) => [slot + suffix, word])),
  };
}
