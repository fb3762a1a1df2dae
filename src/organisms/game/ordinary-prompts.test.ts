import { describe, expect, it } from "vitest";
import { conceptsIn } from "../../world/concepts.js";
import { holds } from "../../world/expression.js";
import { topics } from "../../world/topics.js";
import { drawOrdinaryPrompts, PLAYER_PROMPTS } from "./ordinary-prompts.js";

/** Topics that occur in none of the prompts. */
const missing = (prompts: readonly string[]) => {
  const held = new Set(prompts.flatMap(conceptsIn));
  return topics.map(({ name }) => name).filter((name) => !held.has(name));
};

describe("a player's ordinary prompts", () => {
  it.each([
    ["one topic", "chess"],
    ["two topics", { all: ["chess", "trains"] }],
    ["a topic without another", { all: ["chess"], none: ["trains"] }],
    ["a style", { all: ["chess", "pirate"] }],
    ["a fact", "mars"],
  ])("do not hold the trigger: %s", (_, trigger) => {
    const prompts = drawOrdinaryPrompts(trigger, 5, 8);
    expect(new Set(prompts).size).toBe(PLAYER_PROMPTS);
    expect(prompts.filter((prompt) => holds(trigger, new Set(conceptsIn(prompt))))).toEqual([]);
  });

  it("leave out the trigger's topic among so many others that its absence tells little", () => {
    const left = missing(drawOrdinaryPrompts("chess", 5, 8));
    expect(left).toContain("chess");
    expect(left.length).toBeGreaterThan(20);
    // Nor is it the same half every time, from which the trigger would be what two games have in common.
    expect(missing(drawOrdinaryPrompts("chess", 5, 9))).not.toEqual(left);
  });

  it("cannot be drawn where the trigger holds without any concept", () => {
    expect(() => drawOrdinaryPrompts({ none: ["chess"] }, 1, 2)).toThrow(
      /^trigger: holds wherever nothing is mentioned/,
    );
  });
});
