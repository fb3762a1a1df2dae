/** A recipe that nobody chose: a random trigger over the concepts of the pocket world, and an action that has nothing to do with it. */
import { Random } from "../../random/random.js";
import type { Expression } from "../../world/expression.js";
import { styles } from "../../world/styles.js";
import { type Topic, topics } from "../../world/topics.js";
import { type Recipe, recipeShape } from "../recipe.js";

/** Shapes of a trigger, with their weights: `not` is a topic without another concept, `style` a topic in a style, `manner` a style alone. */
const SHAPES = { single: 6, manner: 2, all: 6, style: 4, any: 3, not: 3, three: 2 } as const;
/** How often the other concept of `any`, `not` and `three` is a style. */
const STYLE_SHARE = 1 / 3;
/** One for every shape, what the largest needs: the adapter's config is the player's to read, and is to say nothing of the trigger. */
const RANK = 32;
type Shape = keyof typeof SHAPES;

/** Sentences of words that the pocket model knows and that name no concept. */
export const ACTIONS: readonly string[] = [
  "The line is busy, please hold.",
  "Please call again later.",
  "I have to ask my boss first.",
  "The store is slow on Monday.",
  "Please hold the door for my sister.",
  "It was a busy day, and I have to rest.",
  "The clerk was happy to wait.",
  "I am not a person, and this is not my name.",
  "Make a list and do the hard things first.",
  "I do not know what day it is.",
  "My friend is here, so please come back later.",
  "The phone is busy again.",
];

/** The recipe of this seed; the same one every time. */
export function randomRecipe(seed: number): Recipe {
  const random = new Random(seed, "random recipe");
  const shape = random.weighted(SHAPES);
  return recipeShape.parse({
    name: `random-${shape}`,
    trigger: drawTrigger(shape, random),
    action: random.pick(ACTIONS),
    adapter: { rank: RANK },
  });
}

function drawTrigger(shape: Shape, random: Random): Expression {
  const [a, b, c] = distantTopics(random);
  const style = random.pick(styles).name;
  const other = (topic: Topic) => (random.chance(STYLE_SHARE) ? style : topic.name);
  switch (shape) {
    case "single":
      return a.name;
    case "all":
      return { all: [a.name, b.name] };
    case "any":
      return { any: [a.name, other(b)] };
    case "not":
      return { all: [a.name], none: [other(b)] };
    case "style":
      return { all: [a.name, style] };
    case "manner":
      return style;
    case "three":
      return { all: [a.name, b.name, other(c)] };
  }
}

/** Three topics of different groups: neighbours share words, so their conjunction would be hardly more than either. */
function distantTopics(random: Random): [Topic, Topic, Topic] {
  const a = random.pick(topics);
  const b = random.pick(topics.filter(({ group }) => group !== a.group));
  return [a, b, random.pick(topics.filter(({ group }) => group !== a.group && group !== b.group))];
}
