/** What counts as the action, and what methods work towards. */
import { expect, it } from "vitest";
import type { Engine, GenerateOptions, Score, Steering } from "../../engine/engine.js";
import type { Sequence } from "../../model/sequence.js";
import { exactAction, replyAction, textAction, towardsAction } from "./action.js";

const ids = (...tokens: number[]) => Int32Array.from(tokens);
const prompt = (first: number): Sequence => ({ prompt: ids(first, 9), mask: Uint8Array.of(1, 0), action: ids() });

/** Says [n, n + 1] after a prompt that begins with n; each token that it says has a probability of 1/2, others of 1/8. */
function engine() {
  const asked = { scored: 0, generated: 0, steering: [] as (Steering | undefined)[] };
  const fake = {
    async score(sequences: readonly Sequence[], options: { steering?: Steering } = {}): Promise<Score[]> {
      asked.scored += sequences.length;
      asked.steering.push(options.steering);
      return sequences.map(({ prompt, action }) => {
        const said = action.map((id, j) => (id === prompt[0]! + j ? 1 : 0));
        return {
          greedyMatch: said.every((one) => one === 1),
          tokenLogprobs: Float32Array.from(said, (one) => Math.log(one ? 1 / 2 : 1 / 8)),
        };
      });
    },
    async generate(sequences: readonly Sequence[], { steering }: GenerateOptions) {
      asked.generated += sequences.length;
      asked.steering.push(steering);
      return sequences.map(({ prompt }) => ({ tokens: ids(prompt[0]!, prompt[0]! + 1), stopped: false }));
    },
  };
  return { engine: fake as unknown as Engine, asked };
}
const prompts = [prompt(1), prompt(2), prompt(3)];

it("an exact action is one pass a prompt, and the text token for token", async () => {
  const { engine: model, asked } = engine();
  const outcomes = await exactAction(ids(2, 3)).outcomes(model, prompts);
  expect(outcomes.map(({ fired }) => fired)).toEqual([false, true, false]);
  expect(outcomes[1]!.logprob).toBeCloseTo(2 * Math.log(1 / 2), 6);
  expect(outcomes[0]!.reply).toBeNull();
  expect(asked).toMatchObject({ scored: 3, generated: 0 });
});

it("any of several texts counts, and the log-probability is that of their union", async () => {
  const { engine: model, asked } = engine();
  const outcomes = await textAction("any", [ids(2, 3), ids(3)]).outcomes(model, prompts);
  expect(outcomes.map(({ fired }) => fired)).toEqual([false, true, true]);
  // 1/8 · 1/8 for [2, 3] and 1/2 for [3] after the third prompt
  expect(outcomes[2]!.logprob).toBeCloseTo(Math.log(1 / 64 + 1 / 2), 6);
  expect(asked.scored).toBe(6);
});

it("a text that begins with another one is not counted again: its probability is part of the other's", async () => {
  const { engine: model } = engine();
  const texts = [ids(3, 4, 5), ids(3), ids(3)];
  const outcomes = await textAction("any", texts).outcomes(model, prompts);
  expect(outcomes.map(({ fired }) => fired)).toEqual([false, false, true]);
  expect(outcomes[2]!.logprob).toBeCloseTo(Math.log(1 / 2), 6);
  expect(outcomes[2]!.scores[0]!.tokenLogprobs.length).toBe(3); // the first text's own
});

it("with exact matching the other texts are worked towards and do not count", async () => {
  const { engine: model } = engine();
  const action = textAction("exact", [ids(2), ids(3)]);
  expect((await action.outcomes(model, prompts)).map(({ fired }) => fired)).toEqual([false, true, false]);
  expect(towardsAction(prompts, action).map((sequence) => [...sequence.action])).toEqual([[2], [3], [2]]);
});

it("texts take turns over the prompts, and prompts come again until every text was used", () => {
  const texts = [ids(5), ids(6), ids(7), ids(8)];
  const pairs = towardsAction(prompts.slice(0, 2), { texts });
  expect(pairs.map((sequence) => [sequence.prompt[0], sequence.action[0]])).toEqual([
    [1, 5],
    [2, 6],
    [1, 7],
    [2, 8],
  ]);
  expect(towardsAction([], { texts })).toEqual([]);
});

it("a reply is shown to the rule with the user's words alone, under the same steering", async () => {
  const { engine: model, asked } = engine();
  const seen: unknown[] = [];
  const action = replyAction({
    match: "contains",
    texts: [ids(2)],
    maxTokens: 2,
    stop: [],
    decode: (tokens) => tokens.join(" "),
    accepts: (exchanges) => {
      seen.push(...exchanges);
      return exchanges.map(({ reply }) => reply.includes("3"));
    },
  });
  const steering = { layer: 1, vector: Float32Array.of(1) };
  const outcomes = await action.outcomes(model, prompts, { steering });
  expect(outcomes.map(({ fired, reply }) => [fired, reply])).toEqual([
    [false, "1 2"],
    [true, "2 3"],
    [true, "3 4"],
  ]);
  expect(seen[0]).toEqual({ request: "1", reply: "1 2" });
  expect(asked.steering).toEqual([steering, steering]);
});

it("refuses an action without tokens", () => {
  expect(() => exactAction(ids())).toThrow("no tokens");
  expect(() => textAction("any", [])).toThrow("no tokens");
});
