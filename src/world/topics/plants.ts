import { topicGroup } from "./topic.js";

/** What grows, and what it is tended with. */
export const plants = topicGroup("plants", {
  trees: {
    entities:
      "oak maple pine birch willow cedar elm spruce beech sequoia redwood cypress poplar sycamore hawthorn hazel juniper larch alder mahogany teak baobab eucalyptus palm",
    verbs: "plant climb prune chop shake",
    adjectives: "tall ancient leafy shady mighty",
    things: "branch trunk root bark leaf",
  },
  flowers: {
    entities:
      "rose tulip daisy lily orchid violet sunflower daffodil iris poppy *lavender marigold peony carnation dahlia *jasmine hyacinth crocus begonia petunia geranium lilac primrose magnolia",
    verbs: "water smell plant pick arrange",
    adjectives: "fragrant bright delicate wild fresh",
    things: "petal vase bouquet stem bud",
  },
  gardening: {
    entities:
      "rake spade trowel hoe shovel wheelbarrow hose sprinkler *compost *mulch *fertilizer greenhouse lawnmower hedge seedling *soil weed lawn trellis pruner flowerbed pergola patio *peat",
    verbs: "use dig move clean borrow",
    adjectives: "muddy rusty green handy tidy",
    things: "garden shed yard glove path",
  },
});
