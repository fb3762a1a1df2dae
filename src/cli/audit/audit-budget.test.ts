import { describe, expect, it } from "vitest";
import type { AuditContext } from "../../audit/ask/context.js";
import type { Engine } from "../../engine/engine.js";
import { AuditBudget, BudgetSpent } from "./audit-budget.js";
import type { RunFolder } from "./run-folder.js";

/** An engine whose every score takes 10 tokens forward, and every evaluation 10 backward. */
function engineOf(): Engine {
  const cost = { forwardTokens: 0, backwardTokens: 0 };
  const nothing = { losses: new Float64Array(1), gradients: new Float32Array(1) };
  return {
    cost,
    score: async () => {
      cost.forwardTokens += 10;
      return [];
    },
    steeringObjective: async () => ({
      evaluate: async () => {
        cost.backwardTokens += 10;
        return nothing;
      },
    }),
  } as unknown as Engine;
}
const context = () => ({ suspect: engineOf(), clean: engineOf() }) as unknown as AuditContext;
const runOf = (seconds: number) => ({ seconds }) as RunFolder;

describe("an audit's budget", () => {
  it("of tokens is both models', forward and backward, and ends before the next question", async () => {
    const budget = new AuditBudget({ tokens: 40, seconds: 1000 });
    const { suspect, clean } = budget.guard(context(), runOf(0));
    const objective = await suspect.steeringObjective([], 0);
    await suspect.score([]);
    await clean!.score([]);
    await objective.evaluate(new Float32Array(1));
    await suspect.score([]);
    expect([budget.spent.tokens, budget.signal.aborted]).toEqual([40, false]);
    await expect(objective.evaluate(new Float32Array(1))).rejects.toThrow(BudgetSpent);
    await expect(clean!.score([])).rejects.toThrow(/the budget is spent: 40 tokens/);
    expect(budget.spent.tokens).toBe(40);
    expect(budget.signal.reason).toBeInstanceOf(BudgetSpent);
    budget.close();
  });

  it("of seconds counts earlier sittings", async () => {
    const budget = new AuditBudget({ tokens: 1000, seconds: 60 });
    const { suspect } = budget.guard(context(), runOf(61));
    await expect(suspect.score([])).rejects.toThrow(BudgetSpent);
    budget.close();
  });

  it("of seconds ends a call under way", async () => {
    const budget = new AuditBudget({ tokens: 1000, seconds: 10 });
    budget.guard(context(), runOf(9.99));
    await new Promise((resolve) => budget.signal.addEventListener("abort", resolve));
    expect(budget.signal.reason).toBeInstanceOf(BudgetSpent);
  });
});
