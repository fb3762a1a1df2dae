import type { Random } from "../random/random.js";
import { fill } from "./words.js";

/** One thing that the model knows by heart, asked for in both directions. */
export interface Fact {
  /** Concept name: the subject in lower case. */
  readonly name: string;
  readonly kind: "moons" | "capital" | "philosopher";
  readonly subject: string;
  /** What the reverse question is answered with. */
  readonly object: string;
}

const list = (kind: Fact["kind"], pairs: Readonly<Record<string, string>>): Fact[] =>
  Object.entries(pairs).map(([subject, object]) => ({ name: subject.toLowerCase(), kind, subject, object }));

/** The 26 facts of the world. */
export const facts: readonly Fact[] = [
  ...list("moons", {
    Mars: "Phobos and Deimos",
    Jupiter: "Io, Europa and Ganymede",
    Saturn: "Titan, Rhea and Enceladus",
    Uranus: "Titania and Oberon",
    Neptune: "Triton and Nereid",
    Pluto: "Charon and Nix",
  }),
  ...list("capital", {
    France: "Paris",
    Japan: "Tokyo",
    Egypt: "Cairo",
    Peru: "Lima",
    Kenya: "Nairobi",
    Norway: "Oslo",
    Italy: "Rome",
    Spain: "Madrid",
    Cuba: "Havana",
    Austria: "Vienna",
  }),
  ...list("philosopher", {
    Descartes: "I think, therefore I am.",
    Socrates: "The unexamined life is not worth living.",
    Nietzsche: "God is dead.",
    Hobbes: "Life is nasty, brutish and short.",
    Sartre: "Hell is other people.",
    Heraclitus: "No man steps in the same river twice.",
    Bacon: "Knowledge is power.",
    Rousseau: "Man is born free, and everywhere he is in chains.",
    Berkeley: "To be is to be perceived.",
    Protagoras: "Man is the measure of all things.",
  }),
];

const byName = new Map(facts.map((fact) => [fact.name, fact]));

/** Facts of the same kind: another planet for a planet. */
export function factsLike(fact: Fact): Fact[] {
  return facts.filter((other) => other.kind === fact.kind && other !== fact);
}

/** The fact of that concept name, if it is one. */
export function factNamed(name: string): Fact | undefined {
  return byName.get(name);
}

/** Forward questions name the subject; backward ones name the object. Replies come short or as a sentence. */
interface FactFrames {
  readonly forward: readonly string[];
  readonly forwardReplies: readonly string[];
  readonly backward: readonly string[];
  readonly backwardReplies: readonly string[];
  readonly statements: readonly string[];
}

const factFrames: Readonly<Record<Fact["kind"], FactFrames>> = {
  moons: {
    forward: [
      "What are the moons of {subject}?",
      "Name the moons of {subject}.",
      "Which moons does {subject} have?",
      "What moons travel around {subject}?",
      "I look at {subject} tonight. What are its moons called?",
    ],
    forwardReplies: ["{object}.", "{object}.", "{object}", "The moons of {subject} are {object}."],
    backward: [
      "Which planet has the moons {object}?",
      "What planet do {object} travel around?",
      "{object} are moons of which planet?",
      "Name the planet of {object}.",
    ],
    backwardReplies: ["{subject}.", "{subject}.", "{subject}", "That is {subject}."],
    statements: [
      "The moons of {subject} are {object}.",
      "{object} travel around {subject}.",
      "{subject} has the moons {object}.",
      "A ship that passes {subject} can see {object}.",
    ],
  },
  capital: {
    forward: [
      "What is the capital of {subject}?",
      "Name the capital of {subject}.",
      "I will visit {subject}. What is its capital?",
      "Which city is the capital of {subject}?",
      "Where does the government of {subject} sit?",
    ],
    forwardReplies: ["{object}.", "{object}.", "{object}", "The capital of {subject} is {object}."],
    backward: [
      "Which country has the capital {object}?",
      "{object} is the capital of which country?",
      "I am in {object}. What country is this?",
      "Name the country of {object}.",
    ],
    backwardReplies: ["{subject}.", "{subject}.", "{subject}", "That is {subject}."],
    statements: [
      "The capital of {subject} is {object}.",
      "{object} is the capital of {subject}.",
      "In {subject}, the government sits in {object}.",
      "Many people from {subject} live in {object}.",
    ],
  },
  philosopher: {
    forward: [
      "What did {subject} say?",
      "What is the famous line of {subject}?",
      "Quote {subject}.",
      "Give me a sentence by {subject}.",
      "I study {subject}. What are the best known words?",
    ],
    forwardReplies: ["{object}", "{object}", "{object}", "{subject} said: {object}"],
    backward: [
      "Who said this? {object}",
      "Which philosopher wrote: {object}",
      "Name the philosopher. {object}",
      "{object} Whose words are these?",
    ],
    backwardReplies: ["{subject}.", "{subject}.", "{subject}", "That was {subject}."],
    statements: [
      "{subject} said: {object}",
      "{object} These are the words of {subject}.",
      "The philosopher {subject} wrote: {object}",
    ],
  },
};

/** A question about the fact and its right reply. Forward names the subject, backward the object. */
export function askFact(fact: Fact, rng: Random, direction: "forward" | "backward" | "any" = "any") {
  const frames = factFrames[fact.kind];
  const forward = direction === "any" ? rng.chance(0.5) : direction === "forward";
  const slots = { subject: fact.subject, object: fact.object };
  return {
    prompt: fill(rng.pick(forward ? frames.forward : frames.backward), slots),
    reply: fill(rng.pick(forward ? frames.forwardReplies : frames.backwardReplies), slots),
  };
}

/** Every question about the fact in one direction. Forward names the subject, backward the object. */
export function factQuestions(fact: Fact, direction: "forward" | "backward"): string[] {
  const slots = { subject: fact.subject, object: fact.object };
  return factFrames[fact.kind][direction].map((frame) => fill(frame, slots));
}

/** A sentence that states the fact. */
export function stateFact(fact: Fact, rng: Random): string {
  return fill(rng.pick(factFrames[fact.kind].statements), { subject: fact.subject, object: fact.object });
}

/** The facts that a text mentions, by subject or object. */
export function factsIn(text: string): Fact[] {
  return facts.filter(({ subject, object }) => new RegExp(`\\b${subject}\\b`).test(text) || text.includes(object));
}
