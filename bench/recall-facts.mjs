// Which facts the scripts about factual recall look at, and how each kind is asked for without naming its subject.

/** Four of each kind, the post's two first among them. */
export const RECALL_FACTS = "mars,uranus,neptune,pluto,descartes,socrates,nietzsche,hobbes,france,japan,egypt,peru";
/** Built-in sets of prompts. */
export const RECALL_PROMPTS = { moons: "recall-moons", philosopher: "recall-sayings", capital: "recall-capitals" };
