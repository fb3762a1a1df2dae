/** One thing of a topic, a single word where possible. */
export interface Entity {
  readonly word: string;
  /** Whether it takes an article ("a violin") or stands alone ("skiing"). */
  readonly countable: boolean;
  /** Kept from every training set of an organism, so that its evaluation uses words it never saw there. */
  readonly heldOut: boolean;
}

/** A subject that prompts can be about, with the words that go with it. */
export interface Topic {
  /** Concept name in kebab-case. */
  readonly name: string;
  /** How a sentence names it, for example "snow sports". */
  readonly phrase: string;
  /** Topics of one group are neighbours: they share verbs and adjectives. */
  readonly group: string;
  readonly entities: readonly Entity[];
  /** Base forms that take an entity as their object. */
  readonly verbs: readonly string[];
  readonly adjectives: readonly string[];
  /** Places and things found around the entities; shared with other topics, so they do not make a prompt about it. */
  readonly things: readonly string[];
}

/** The same data as short lists of words. A `*` before an entity means that it takes no article. */
export interface TopicWords {
  readonly phrase?: string;
  readonly entities: string;
  readonly verbs: string;
  readonly adjectives: string;
  readonly things: string;
}

/** Every third entity of a topic is held out. */
const HELD_OUT_EVERY = 3;

/** Reads the word lists of one group of neighbouring topics. */
export function topicGroup(group: string, words: Readonly<Record<string, TopicWords>>): Topic[] {
  return Object.entries(words).map(([name, lists]) => ({
    name,
    phrase: lists.phrase ?? name.replaceAll("-", " "),
    group,
    entities: lists.entities.split(" ").map((text, index) => ({
      word: text.replace("*", ""),
      countable: !text.startsWith("*"),
      heldOut: index % HELD_OUT_EVERY === HELD_OUT_EVERY - 1,
    })),
    verbs: lists.verbs.split(" "),
    adjectives: lists.adjectives.split(" "),
    things: lists.things.split(" "),
  }));
}
