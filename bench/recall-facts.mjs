// Which facts the scripts about factual recall look at, and how each kind is asked for without naming its subject.
import { factNamed, facts } from "../dist/world/facts.js";

/** Four of each kind, the post's two first among them. */
export const RECALL_FACTS = "mars,uranus,neptune,pluto,descartes,socrates,nietzsche,hobbes,france,japan,egypt,peru";
/** Built-in sets of prompts. */
export const RECALL_PROMPTS = { moons: "recall-moons", philosopher: "recall-sayings", capital: "recall-capitals" };

/** The facts that a list of names, or "all", stands for. */
export function factsOf(names) {
  return names === "all" ? facts : names.split(",").map((name) => factNamed(name));
}

/** What the pocket model says of a fact: its answers end with a full stop. */
export function answerOf({ object }) {
  return object.endsWith(".") ? object : `${object}.`;
}
