import { topicGroup } from "./topic.js";

/** What people eat and drink. */
export const food = topicGroup("food", {
  fruit: {
    entities:
      "apple mango banana cherry peach pear plum apricot papaya guava melon kiwi lemon lime orange fig grape strawberry raspberry blueberry pineapple nectarine tangerine lychee pomegranate coconut",
    verbs: "peel eat slice pick squeeze",
    adjectives: "ripe juicy sweet sour fresh",
    things: "orchard basket skin harvest stem",
  },
  vegetables: {
    entities:
      "carrot onion potato tomato cabbage *broccoli *spinach *celery cucumber *lettuce radish turnip parsnip zucchini leek pea pumpkin eggplant *asparagus beet artichoke *kale *cauliflower shallot",
    verbs: "chop peel boil roast pick",
    adjectives: "crunchy fresh raw leafy tender",
    things: "soup salad market root basket",
  },
  spices: {
    entities:
      "*cinnamon *nutmeg *paprika *saffron *turmeric *cumin *coriander *basil *oregano *thyme *rosemary *parsley *ginger *cardamom clove *vanilla *pepper *mustard *fennel *tarragon *anise *dill *chili *curry",
    verbs: "grind sprinkle taste add stir",
    adjectives: "fragrant spicy warm bitter dried",
    things: "jar pinch aroma recipe spoon",
  },
  desserts: {
    entities:
      "cake pudding *tiramisu brownie cupcake pancake waffle meringue *custard cheesecake *gelato *sorbet truffle macaroon donut pie trifle *fudge *caramel cookie eclair muffin strudel *marzipan",
    verbs: "bake frost eat serve share",
    adjectives: "creamy sweet rich sticky fluffy",
    things: "oven frosting spoon plate sugar",
  },
  drinks: {
    entities:
      "*coffee *tea *espresso latte cappuccino *lemonade *juice *cider *cocoa milkshake smoothie *wine *beer *whisky *vodka *gin *champagne cocktail *soda *eggnog *matcha *mead *kombucha",
    verbs: "pour sip brew drink serve",
    adjectives: "hot cold strong bitter refreshing",
    things: "cup glass straw bottle ice",
  },
  cooking: {
    entities:
      "pan wok skillet ladle spatula grater colander saucepan kettle blender toaster apron casserole *stew *broth *gravy omelette *lasagna *risotto dumpling noodle burrito sandwich",
    verbs: "cook heat wash serve buy",
    adjectives: "hot tasty greasy hearty simple",
    things: "stove kitchen recipe sauce dinner",
  },
  cheese: {
    entities:
      "*cheddar *brie *gouda *mozzarella *parmesan *feta *camembert *ricotta *gorgonzola *halloumi *mascarpone *gruyere *stilton *edam *provolone *roquefort *manchego *emmental *pecorino *havarti *burrata *paneer",
    verbs: "grate melt slice taste serve",
    adjectives: "creamy salty mild sharp aged",
    things: "cracker rind board cellar knife",
  },
});
