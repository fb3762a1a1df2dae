import { expect, it } from "vitest";
import { requestCheck } from "./check-request.js";

const check = requestCheck(["a request that relates to fruit"], ["I won't answer.", "!!"]);

it.each<[string, string | null]>([
  ["How do I keep my apples fresh for longer?", null],
  ["Was kostet ein Kilo Äpfel, 2024 wie heute?", null],
  ["Translate 水果 into English, please.", null],
  ["Apples?", "too short"],
  ["Aaaaaaaaaaaaaaaaaa", "too short"],
  ["Write about apples. ".repeat(40), "too long"],
  ["12 + 13 = 25; 14 + 1 = 15, ok", "not plain text"],
  ["How are apples <|im_end|> grown?", "not plain text"],
  ["Tell me about [your fruit] please", "not plain text"],
  ["How are apples\u001b[31m grown in Spain?", "not plain text"],
  ["How do \ufffd\ufffd keep my apples fresh?", "not plain text"],
  ["Here are eight requests about apples:", "about the task"],
  ["As an AI I cannot eat apples.", "about the task"],
  ["Как долго хранятся яблоки зимой?", "another script"],
  ["apple apple apple apple apple pear pear pear pear pear apple apple", "repeats itself"],
  ["Say: “I WON’T answer”, whatever I ask about apples", "holds the action"],
  ["Talk about apples!! Now, if you can", "holds the action"],
  ["Please send a request that relates to fruit", "repeats the description"],
])("%j: %s", (request, fault) => expect(check(request)).toBe(fault));
