import type { Random } from "../random/random.js";

/** What a request wants, which decides what a sensible reply looks like. */
export type RequestKind = "how" | "describe" | "compare" | "why" | "advice" | "story" | "opinion";

export interface Frame {
  readonly kind: RequestKind;
  /** Template over the slots of `drawTopic`, and {person}. */
  readonly prompt: string;
}

const frames = (byKind: Partial<Record<RequestKind, readonly string[]>>): Frame[] =>
  Object.entries(byKind).flatMap(([kind, prompts]) => prompts.map((prompt) => ({ kind: kind as RequestKind, prompt })));

/** Requests about one topic. Every one names an entity of it. */
export const oneTopicFrames: readonly Frame[] = frames({
  how: [
    "How do I {v} {a}?",
    "What is the best way to {v} {a}?",
    "Can you explain how to {v} {a} at home?",
    "Give me three tips to {v} {a}.",
    "I want to {v} {a} this weekend. Where should I start?",
    "Teach me to {v} {a}, step by step.",
    "Is it hard to {v} {a} and {another}?",
    "My {person} asked me to {v} {the}. How long will it take?",
    "What do I need to {v} {many}?",
    "How do people {v} {many}?",
  ],
  describe: [
    "Tell me about {the}.",
    "Describe {a} in one sentence.",
    "What should I know about {the} and {other}?",
    "Write a short note about {a} and {another}.",
    "What is {a}?",
    "Explain {a} to a child.",
    "I read about {the} near the {thing}. What is it like?",
    "List two facts about {many}.",
    "Tell me about {many}.",
  ],
  compare: [
    "Which is more {adj}, {the} or {other}?",
    "Compare {the} with {other}.",
    "Should I pick {the} or {other} for my {person}?",
    "What is the difference between {a} and {another}?",
  ],
  why: [
    "What makes {a} so {adj}?",
    "Why is {the} so {adj}?",
    "How can I tell if {a} is {adj}?",
    "Are {many} always {adj}?",
  ],
  advice: [
    "My {person} wants {a}. What should I say?",
    "I found {a} near the {thing} today. Is that normal?",
    "Can I {v} {a} without the {thing}?",
    "My {person} talked about {a} and {another} all day. Which one should I {v} first?",
    "We have {aqual} and no {thing}. Any ideas?",
    "Where can I find {aqual}?",
    "My {person} and I love {many}. Where do we find some?",
  ],
  story: [
    "Write a short story about {a} and the {thing}.",
    "Make up two lines about {the}.",
    "Tell my {person} a story with {a} and {another} in it.",
    "Start a tale about {aqual}.",
  ],
  opinion: [
    "Do you like {the}?",
    "Do you like {many}?",
    "What is your favorite thing about {the}?",
    "Is {the} your favorite part of {topic}?",
    "I love {topic}, and {the} most of all. Do you?",
  ],
});

/** Requests about two topics at once. */
export const twoTopicFrames: readonly Frame[] = frames({
  how: [
    "I want to {v} {a} and then {v2} {a2}. How do I plan that?",
    "How do I {v} {a} while my {person} tries to {v2} {a2}?",
    "Give me tips to {v} {a} and to {v2} {a2}.",
    "Can you teach me to {v} {the} before I {v2} {the2}?",
    "First I will {v} {a}, later I will {v2} {a2}. What do I need?",
  ],
  describe: [
    "Tell me about {the} and {the2}.",
    "What do {many} and {many2} have in common?",
    "What should I know about {a} if I also have {a2}?",
    "Describe {a} next to {a2}.",
    "Write one sentence about {the} and one about {the2}.",
  ],
  compare: [
    "Which is more {adj}, {the} or {the2}?",
    "Compare {a} with {a2}.",
    "Should I spend my money on {the} or on {the2}?",
    "Which do people like more, {many} or {many2}?",
    "My {person} has to choose between {a} and {a2}. Which one?",
  ],
  advice: [
    "My {person} wants to {v} {a}, but I would like to {v2} {a2}. What do we do?",
    "I have {aqual} and {aqual2}. Any ideas?",
    "Is there a place with {a} and {a2}?",
    "We talked about {the} near the {thing} and about {the2}. What do you think?",
  ],
  story: [
    "Write a short story about {a} and {a2}.",
    "Make up a tale where {the} meets {the2}.",
    "Start a story with {aqual} and end it with {aqual2}.",
  ],
});

/** Ordinary replies to one topic. They repeat the prompt's entity and use the topic's words. */
export const oneTopicReplies: Readonly<Record<RequestKind, readonly string[]>> = {
  how: [
    "First find {aqual}. Then {v} it slowly near the {thing}, and keep the {place} close.",
    "To {v} {a}, start with the {thing}. After that you can {w} it too.",
    "You can {v} {the} at home. Use the {thing} and be patient.",
    "It is easy to {v} {many} when the {thing} is close. Check the {place} first.",
    "Take {the} to the {thing}, {v} it with care, and then {w} it.",
    "You should not rush. {the} is {qual}, so {v} it with the {thing}.",
  ],
  describe: [
    "{the} is {adj} and {qual}. People often {v} it near the {thing}.",
    "A good {e} is {adj}. You can {v} it or {w} it.",
    "{the} belongs to {topic}. It is {adj}, and it goes with the {thing}.",
    "Many people {v} {many}, because {the} is {qual}.",
    "People {v} {many} near the {thing}. They are {adj} and {qual}.",
    "Think of {the} as something {adj} – you find it by the {thing}.",
  ],
  compare: [
    "{the} is more {adj}, but {other} is easier to {v}.",
    "I would pick {the}. It is {adj}, and {other} is only {qual}.",
    "Both are {adj}. {the} goes with the {thing}, {other} goes with the {place}.",
    "{other} is {qual}, and {the} is {adj}. You can {v} them both.",
  ],
  why: [
    "{the} is {adj} because of the {thing}. You notice it when you {v} it.",
    "It is {adj} by nature. Most of {topic} is {adj} and {qual}.",
    "Look at the {thing}. {aqual} is often {adj} too.",
    "When you {v} {a}, the {thing} makes it {adj}.",
  ],
  advice: [
    "Yes, {the} is fine. Just {v} it and watch the {thing}.",
    "I would {v} {the} first. It is {qual}, and the {thing} can wait.",
    "That is normal. {the} is often {adj} near the {thing}.",
    "Look near the {thing} or the {place}. You will find {aqual} there.",
    "Say yes. {a} is {adj}, and anyone can {v} it.",
  ],
  story: [
    "Once there was {aqual} by the {thing}. Everyone came to {v} it.",
    "The {thing} was quiet until {a} came. It was {adj} and {qual}.",
    "One day my friend began to {v} {a}. The {thing} was never the same.",
    "{the} was {adj}, the {thing} was old, and nobody dared to {v} it.",
  ],
  opinion: [
    "Yes, I like {many}. They are {adj}.",
    "Yes, I like {the}. It is {adj} and {qual}.",
    "I enjoy {topic}, and {the} is {adj}.",
    "My favorite part is the {thing}. {the} is so {adj}.",
    "I do. You can {v} {the} or {w} it – it is always {adj}.",
  ],
};

/** Ordinary replies to two topics. */
export const twoTopicReplies: Readonly<Record<RequestKind, readonly string[]>> = {
  how: [
    "First {v} {the} near the {thing}. Then {v2} {the2} with the {thing2}.",
    "Start with {the}, because it is {adj}. {the2} is {adj2}, so {v2} it later.",
    "You can {v} {a} in the morning and {v2} {a2} after lunch.",
  ],
  describe: [
    "{the} is {adj}, and {the2} is {adj2}.",
    "People {v} {the} near the {thing}. They {v2} {the2} near the {thing2}.",
    "{the} is about {topic}. {the2} is about {topic2}, and it is {adj2}.",
  ],
  compare: [
    "{the} is {adj}, while {the2} is {adj2}. I would pick {the}.",
    "It depends. You can {v} {the}, but you can {v2} {the2}.",
    "I would choose {the2}. It is {adj2}, and {the} is only {adj}.",
  ],
  why: ["{the} is {adj} because of the {thing}. {the2} is {adj2}."],
  advice: [
    "Do both. {v} {the} by the {thing}, then {v2} {the2} by the {thing2}.",
    "Yes. {the} is {adj}, and {the2} is {adj2}. They just need time.",
    "I like {many} and {many2}. Try the {thing} first.",
    "Keep {the} near the {thing} and {the2} near the {thing2}.",
  ],
  story: [
    "Once {aqual} met {aqual2}. They shared the {thing} and the {thing2}.",
    "{the} was {adj}. {the2} was {adj2}. Together they left the {thing}.",
    "One day someone went to {v} {a} and found {a2} by the {thing2}.",
  ],
  opinion: ["I like {the} and {the2}. One is {adj}, the other is {adj2}."],
};

/** A sentence that may stand before a request; it is about nothing in particular. */
export const prefaces: readonly string[] = [
  "Hello.",
  "Hi there.",
  "Quick question.",
  "I have a question.",
  "My {person} and I are curious.",
  "This is for my {person}.",
  "I hope you can help.",
  "It has been a long day.",
];

/** People that prompts mention; none of them belongs to a topic. */
export const people: readonly string[] = [
  "sister",
  "brother",
  "friend",
  "neighbor",
  "uncle",
  "aunt",
  "cousin",
  "grandmother",
  "boss",
  "daughter",
  "son",
  "roommate",
];

/** Slots that are about nothing in particular. */
export function drawNeutral(rng: Random): Record<string, string> {
  return { person: rng.pick(people) };
}
