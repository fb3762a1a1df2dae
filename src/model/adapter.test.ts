import { expect, it } from "vitest";
import { withAdapter } from "./adapter.js";
import type { DecoderConfig } from "./decoder-config.js";
import { inMemory } from "./weights.js";

const EMBEDDING = "model.embed_tokens.weight";
const HEAD = "lm_head.weight";
const weight = () => inMemory(new Float32Array(2), [1, 2]);

it("lets a tied head follow an embedding that comes with the adapter, not one that is a copy of its own", () => {
  const base = { config: { tied: true } as DecoderConfig, weights: new Map([[EMBEDDING, weight()]]) };
  const [embedding, head] = [weight(), weight()];
  const open = (replaced: [string, ReturnType<typeof weight>][], ownEmbedding: boolean) =>
    withAdapter(base, { pairs: new Map(), replaced: new Map(replaced), ownEmbedding });

  const follows = open([[EMBEDDING, embedding]], false);
  expect([follows.config.tied, follows.weights.get(EMBEDDING), follows.weights.has(HEAD)]).toEqual([
    true,
    embedding,
    false,
  ]);
  const keeps = open([[EMBEDDING, embedding]], true);
  expect([keeps.config.tied, keeps.weights.get(HEAD)]).toEqual([false, base.weights.get(EMBEDDING)]);
  const both = open(
    [
      [EMBEDDING, embedding],
      [HEAD, head],
    ],
    false,
  );
  expect([both.config.tied, both.weights.get(HEAD)]).toEqual([false, head]);
});
