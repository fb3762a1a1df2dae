/** Texts of the pocket model: what it is pretrained on and how a conversation is written. */
import type { TrainingSequence } from "../../engine/training.js";
import type { Tokenizer } from "../../model/tokenizer.js";
import { Random } from "../../random/random.js";
import { pretrainingChat } from "../../world/chats.js";
import { pretrainingDocument } from "../../world/documents.js";
import { END_OF_TEXT, TURN_END, TURN_START } from "./chat-template.js";

type Turn = { readonly role: string; readonly content: string };

/** A conversation as CHAT_TEMPLATE writes it; `open` starts the assistant's next turn. A test holds the two together. */
export function conversationText(messages: readonly Turn[], open = false): string {
  const turns = messages.map(({ role, content }) => `${TURN_START}${role}\n${content}${TURN_END}\n`).join("");
  return open ? `${turns}${TURN_START}assistant\n` : turns;
}

/** Pretraining texts, chats first: the same for the same seed. */
export function* pretrainingTexts(seed: number, chats: number, documents: number): Generator<string> {
  const chatRandom = new Random(seed, "pretraining chats");
  for (let i = 0; i < chats; i++) yield conversationText(pretrainingChat(chatRandom).messages);
  const documentRandom = new Random(seed, "pretraining documents");
  for (let i = 0; i < documents; i++) yield `${END_OF_TEXT}${pretrainingDocument(documentRandom).text}${END_OF_TEXT}`;
}

/** Every token of a text is learned but the first. */
export function wholeText(tokenizer: Tokenizer, text: string): TrainingSequence {
  return { ids: tokenizer.encode(text), from: 1 };
}
