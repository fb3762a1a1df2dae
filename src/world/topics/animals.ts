import { topicGroup } from "./topic.js";

/** Living creatures, wild and tame. */
export const animals = topicGroup("animals", {
  birds: {
    entities:
      "robin sparrow eagle owl parrot pigeon crow raven falcon hawk swan heron stork pelican penguin flamingo woodpecker magpie finch canary peacock ostrich seagull hummingbird",
    verbs: "feed watch spot hear follow",
    adjectives: "feathered wild noisy tiny graceful",
    things: "nest wing feather beak branch",
  },
  dogs: {
    entities:
      "poodle beagle labrador terrier spaniel dachshund bulldog retriever collie chihuahua greyhound rottweiler pug husky dalmatian mastiff corgi whippet schnauzer puppy hound doberman pomeranian setter",
    verbs: "walk train feed groom pet",
    adjectives: "loyal playful furry noisy gentle",
    things: "leash collar kennel bone tail",
  },
  ocean: {
    phrase: "ocean life",
    entities:
      "shark whale dolphin octopus squid jellyfish lobster crab shrimp seahorse starfish stingray tuna salmon eel oyster clam turtle walrus otter *coral *plankton barracuda urchin anemone narwhal",
    verbs: "watch spot catch film follow",
    adjectives: "salty deep wild slippery giant",
    things: "reef tide wave shell fin",
  },
  insects: {
    entities:
      "ant bee wasp beetle butterfly moth dragonfly grasshopper cricket mosquito hornet ladybug termite cockroach flea caterpillar mantis firefly locust aphid bumblebee gnat weevil cicada earwig",
    verbs: "catch watch study spot swat",
    adjectives: "tiny striped winged noisy crawling",
    things: "hive leaf larva sting net",
  },
  reptiles: {
    entities:
      "lizard snake python crocodile alligator gecko iguana chameleon cobra viper tortoise rattlesnake boa anaconda skink mamba salamander newt frog toad axolotl adder terrapin",
    verbs: "feed watch handle spot catch",
    adjectives: "scaly cold venomous green slow",
    things: "tank scale swamp tongue egg",
  },
  "wild-animals": {
    entities:
      "lion tiger elephant giraffe zebra leopard cheetah bear wolf fox deer moose rhino hippo gorilla monkey kangaroo koala panda hyena badger raccoon squirrel hedgehog camel",
    verbs: "track watch follow spot feed",
    adjectives: "wild fierce shy giant hungry",
    things: "forest jungle paw den herd",
  },
  "farm-animals": {
    entities:
      "cow pig sheep goat hen rooster donkey pony mule lamb duck goose piglet foal stallion mare llama alpaca bull ox chick yak rabbit heifer",
    verbs: "feed raise groom shear sell",
    adjectives: "gentle muddy woolly stubborn healthy",
    things: "barn hay field fence stable",
  },
});
