import { topicGroup } from "./topic.js";

/** What laboratories, clinics and schools study. */
export const science = topicGroup("science", {
  chemistry: {
    entities:
      "*oxygen *hydrogen *nitrogen *carbon *helium *sodium *chlorine *sulfur *zinc *copper *uranium *lithium *calcium *potassium *neon *argon acid molecule atom catalyst electron isotope beaker solvent",
    verbs: "study measure heat test describe",
    adjectives: "reactive toxic pure dense unstable",
    things: "laboratory reaction experiment formula tube",
  },
  medicine: {
    entities:
      "doctor nurse surgeon bandage syringe vaccine *aspirin antibiotic pill stethoscope thermometer fever cough migraine *asthma allergy ambulance pharmacist scalpel *diabetes *influenza bruise sprain rash",
    verbs: "check understand monitor discuss describe",
    adjectives: "painful serious mild urgent common",
    things: "patient hospital clinic pain symptom",
  },
  geology: {
    entities:
      "*granite *basalt *limestone *sandstone *marble *slate *quartz *obsidian *pumice *shale volcano earthquake *lava *magma fossil crater canyon stalactite *sediment geyser *tectonics mineral *gneiss *feldspar",
    verbs: "study collect explore test describe",
    adjectives: "ancient rough dense volcanic layered",
    things: "rock layer cave museum surface",
  },
  mathematics: {
    entities:
      "*algebra *geometry *calculus fraction equation theorem integral polynomial hexagon pentagon rhombus cosine logarithm *trigonometry *arithmetic decimal exponent parabola hypotenuse quotient denominator ellipse eigenvalue",
    verbs: "solve discuss study simplify understand",
    adjectives: "abstract difficult elegant exact complex",
    things: "number formula proof homework teacher",
  },
  computing: {
    entities:
      "keyboard laptop *software printer router browser algorithm database processor server modem firewall spreadsheet compiler debugger touchscreen webcam smartphone email website *malware joystick",
    verbs: "install update fix test buy",
    adjectives: "slow digital secure expensive modern",
    things: "screen file code office desk",
  },
});
