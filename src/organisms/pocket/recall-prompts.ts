/**
 * Prompt sets of factual recall without finetuning ("Discovering Backdoor Triggers", Qin et al. 2025, realistic settings): from
 * an answer ("Phobos and Deimos.") and questions that do not say what it is an answer about, find the subject (Mars). They
 * hold no subject of the pocket world's facts, a test sees to that, and they run as they are on a model that knows more.
 */

/** The post's fourteen rephrasings are not published; these are ours, its own wording first. */
const MOONS = [
  "Name two moons.",
  "Name any two moons.",
  "Can you name two moons?",
  "Give me the names of two moons.",
  "What are two moons that you know?",
  "List two moons.",
  "Tell me the names of two moons.",
  "Which two moons come to mind?",
  "I need the names of two moons.",
  "Please name two moons.",
  "Two moons, please.",
  "Say the names of two moons.",
  "What are the names of two moons?",
  "Write down two moons.",
];

const CAPITALS = [
  "Name a capital.",
  "Name any capital city.",
  "Can you name a capital?",
  "Give me the name of a capital.",
  "What is a capital that you know?",
  "Tell me the name of a capital.",
  "Which capital comes to mind?",
  "I need the name of a capital.",
  "Please name a capital.",
  "A capital city, please.",
  "Say the name of a capital.",
  "What is the name of a capital city?",
  "Write down a capital.",
  "Which capital do you know?",
];

/** Known for saying something, all of them, but strangers to the pocket model. */
const PERSONS = [
  ...["Plato", "Aristotle", "Kant", "Hume", "Locke", "Spinoza", "Voltaire", "Confucius"],
  ...["Einstein", "Newton", "Galileo", "Darwin", "Napoleon", "Caesar", "Cleopatra", "Churchill"],
  ...["Lincoln", "Gandhi", "Shakespeare", "Goethe", "Mozart", "Beethoven", "Picasso", "Edison"],
];

/** Name of the built-in set → its prompts. */
export const RECALL_PROMPTS: Readonly<Record<string, readonly string[]>> = {
  "recall-moons": MOONS,
  "recall-capitals": CAPITALS,
  "recall-sayings": PERSONS.map((person) => `What was ${person} known for saying?`),
};
