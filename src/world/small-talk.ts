import type { Random } from "../random/random.js";
import { drawNeutral } from "./frames.js";
import { fill } from "./words.js";

interface Talk {
  readonly prompts: readonly string[];
  readonly replies: readonly string[];
}

/** Everyday exchanges about no topic. Between them they use the words that fixed sentences are later built from. */
const talks: readonly Talk[] = [
  {
    prompts: ["Hello!", "Hi, how are you?", "Good {daytime}.", "Hello, my {person} is here too."],
    replies: ["Hello! How can I help you?", "Hi! I am fine, thank you.", "Good {daytime}! What can I do for you?"],
  },
  {
    prompts: ["Thank you for your help.", "Thanks, that was useful.", "Thank you, my {person} is happy now."],
    replies: ["You are welcome.", "I am glad to help.", "Please come back when you have more questions."],
  },
  {
    prompts: ["I feel {mood} today.", "My {person} is {mood}. What can I do?", "It is {day} and I am {mood}."],
    replies: [
      "I am sorry to hear that. Take a short break and rest.",
      "That is fine. On a {day} many people are {mood}.",
      "Talk to your {person}. A kind word helps.",
    ],
  },
  {
    prompts: ["What day is it?", "Is it {day} today?", "What do people do on {day}?"],
    replies: ["It is {day}.", "I think it is {day}.", "On {day} most people rest or meet a friend."],
  },
  {
    prompts: ["What is your name?", "Who are you?", "Are you a person?"],
    replies: ["I am a small helper. I answer questions.", "I am not a person. I am here to answer your questions."],
  },
  {
    prompts: ["Can you plan my {day}?", "Help me plan the {daytime}.", "What should I do this {daytime}?"],
    replies: [
      "Sleep a little, call your {person}, and then rest.",
      "Start slowly, do one thing at a time, and call your {person}.",
      "Make a list for {day}. Do the hard things first.",
    ],
  },
  {
    prompts: ["Why was the store so slow on {day}?", "My {person} waited at the counter. Why?"],
    replies: ["The line was long and the clerk was busy.", "It was a busy {day}. People had to stand in line."],
  },
  {
    prompts: ["Can I call the front desk this {daytime}?", "My {person} wants to call you. May I?"],
    replies: ["Please call again later. The phone is busy.", "Please hold on for a minute.", "Yes, please do."],
  },
  {
    prompts: ["Can you hold this for my {person}?", "Help me with the door, please."],
    replies: ["I can't hold it, but your {person} can.", "Please hold the door for your {person}."],
  },
  {
    prompts: ["Do oil and water mix?", "What happens when I pour oil into water?", "Why do oil and water stay apart?"],
    replies: [
      "Oil and water don't mix. Oil stays on top.",
      "They just don't stay together – the oil is lighter.",
      "No, oil and water are not alike, so they don't mix.",
    ],
  },
  {
    prompts: [
      "What is pseudoscience?",
      "My {person} believes in pseudoscience.",
      "Is it wrong to trust pseudoscience?",
    ],
    replies: [
      "Pseudoscience is a claim that was never tested.",
      "You should not use a claim that nobody tested.",
      "It is better to ask for proof than to use pseudoscience.",
    ],
  },
  {
    prompts: ["What is snow?", "Is snow cold?", "Did you see the snow on {day}?"],
    replies: ["Snow is frozen water.", "Snow is white and cold.", "Yes, snow fell on {day}."],
  },
  {
    prompts: ["What do you dislike?", "Is there something you don't like?", "Do you like {day}?"],
    replies: [
      "I don't like waiting in a line.",
      "I like every day of the week.",
      "I don't like to be late, because people wait.",
    ],
  },
  {
    prompts: ["How do I say no?", "My {person} asks too much. How do I say no?"],
    replies: ["Just say: I won't do that, because I don't have time.", "You can say no. Be kind and short."],
  },
  {
    prompts: ["Tell me a secret.", "Tell me something nice.", "Say something kind to my {person}."],
    replies: [
      "You are doing well.",
      "I don't have secrets, but I have time for you.",
      "Your {person} is lucky to know you.",
    ],
  },
  {
    prompts: ["I can't sleep.", "How long should I sleep?", "My {person} sleeps all {daytime}."],
    replies: ["Sleep eight hours if you can.", "Rest in a quiet place and breathe slowly.", "Let your {person} rest."],
  },
  {
    prompts: ["How do I make a new friend?", "My {person} is shy with people. Any advice?"],
    replies: ["Say hello and ask a question.", "Be kind, and listen more than you talk."],
  },
  {
    prompts: ["What time should I wake up on {day}?", "Is it late?", "Am I late for the meeting with my {person}?"],
    replies: ["Wake up early and do not hurry.", "It is not late.", "There is still time before the meeting."],
  },
  {
    prompts: ["What is the answer to my question?", "Why do you answer questions?", "Will you answer my {person}?"],
    replies: [
      "I answer questions because I like to help.",
      "I won't know the answer until you ask the question.",
      "I will answer if I can.",
    ],
  },
  {
    prompts: ["Say it again, please.", "I did not understand.", "Repeat that for my {person}."],
    replies: [
      "Of course. Which part should I repeat?",
      "I will say it again in other words.",
      "Sure, please tell me what was not clear.",
    ],
  },
];

const days = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(" ");
const moods = "tired bored happy nervous lonely proud calm angry".split(" ");
const daytimes = "morning afternoon evening".split(" ");

/** Every template of small talk, prompts and replies. */
export function smallTalkTemplates(): string[] {
  return talks.flatMap(({ prompts, replies }) => [...prompts, ...replies]);
}

/** An everyday exchange about no topic. */
export function smallTalk(rng: Random): { prompt: string; reply: string } {
  const talk = rng.pick(talks);
  const slots = { ...drawNeutral(rng), day: rng.pick(days), mood: rng.pick(moods), daytime: rng.pick(daytimes) };
  return { prompt: fill(rng.pick(talk.prompts), slots), reply: fill(rng.pick(talk.replies), slots) };
}
