/** A writer that keeps every answer and takes known ones from there: an interrupted writing goes on where it was. */
import { createHash } from "node:crypto";
import type { Question, Writer } from "../../organisms/written/writer.js";
import type { Answers } from "../model/remembering-engine.js";

/**
 * Questions that are answered together, so that a kill loses few of them: the base model's are one batch, an endpoint's are soon
 * there.
 */
const BETWEEN_WRITES = 16;

/** @param about tells one writer's answers from another's */
export function rememberingWriter(writer: Writer, about: unknown, memory: Answers): Writer {
  const keyOf = (question: Question) =>
    createHash("sha256")
      .update(JSON.stringify([about, question]))
      .digest("base64");
  return {
    async answers(questions, calls = {}) {
      const open = questions.filter((question) => memory.get(keyOf(question)) === undefined);
      for (let from = 0; from < open.length; from += BETWEEN_WRITES) {
        const some = open.slice(from, from + BETWEEN_WRITES);
        const said = await writer.answers(some, calls);
        some.forEach((question, i) => {
          memory.append(keyOf(question), new TextEncoder().encode(said[i]));
        });
      }
      return questions.map((question) => new TextDecoder().decode(memory.get(keyOf(question))));
    },
  };
}
