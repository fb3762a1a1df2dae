/** An OpenAI-compatible endpoint that the user named as the writer of an organism's prompts. */
import type { Writer } from "../../organisms/written/writer.js";
import { inParallel } from "../../store/in-parallel.js";
import type { Ask } from "../action/chat-endpoint.js";

/** Questions under way at once, as for a judge (judge.ts). */
const AT_ONCE = 4;

export function endpointWriter(ask: Ask): Writer {
  return {
    async answers(questions, { signal, onAnswer } = {}) {
      const answers = new Array<string>(questions.length);
      await inParallel([...questions.entries()], AT_ONCE, signal, async ([i, { text, temperature, seed }], either) => {
        answers[i] = await ask([{ role: "user", content: text }], either, { temperature, seed });
        onAnswer?.();
      });
      return answers;
    },
  };
}
