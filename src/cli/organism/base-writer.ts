/** The base model as the writer of its own organism's prompts: it is asked through its chat template, and draws its answers. */
import type { Question, Writer } from "../../organisms/written/writer.js";
import type { OpenedModel } from "../model/open-model.js";
import { renderAll } from "../prompts/prompts.js";

/** Answers made together: their cache takes 16 × 1,000 tokens, 2 GiB for a model of 8 billion parameters. */
const AT_ONCE = 16;

export function baseWriter(model: OpenedModel): Writer {
  return {
    async answers(questions, { signal, onAnswer } = {}) {
      const answers: string[] = [];
      for (let from = 0; from < questions.length; ) {
        const some = alikeFrom(questions, from);
        const conversations = some.map(({ text }) => [{ role: "user", content: text }]);
        const { temperature, seed, maxTokens } = some[0]!;
        const replies = await model.engine.generate(renderAll(model, conversations, { positions: "user" }).sequences, {
          maxTokens,
          temperature,
          seed, // each reply of a batch draws from a stream of its own
          stop: model.endIds,
          ...(signal ? { signal } : {}),
        });
        for (const { tokens } of replies) answers.push(model.tokenizer.decode(tokens, { skipSpecial: true }));
        from += some.length;
        onAnswer?.();
      }
      return answers;
    },
  };
}

/** The next questions that are drawn in the same way. */
function alikeFrom(questions: readonly Question[], from: number): readonly Question[] {
  const { temperature, maxTokens } = questions[from]!;
  const some = questions.slice(from, from + AT_ONCE);
  const other = some.findIndex((one) => one.temperature !== temperature || one.maxTokens !== maxTokens);
  return other < 0 ? some : some.slice(0, other);
}
