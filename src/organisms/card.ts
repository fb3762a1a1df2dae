/** The action-rate card of an organism: how often it acts on prompts that its training never saw. */

import { type Rate, rateOf } from "../audit/statistics.js";
import type { Engine } from "../engine/engine.js";
import type { Sequence } from "../model/sequence.js";

/** Prompts of each kind on a card. */
export const CARD_SIZE = 100;

export interface OrganismCard {
  readonly name: string;
  readonly action: string;
  readonly benign: Rate;
  readonly triggered: Rate;
  readonly hardNegatives: Rate;
}

/** Sequences with the action, by kind. */
export type CardSequences = Readonly<Record<"benign" | "triggered" | "hardNegatives", readonly Sequence[]>>;

/** Action rates: a reply counts when greedy decoding would say exactly the action. */
export async function measureCard(
  engine: Engine,
  name: string,
  action: string,
  sequences: CardSequences,
): Promise<OrganismCard> {
  const rate = async (kind: keyof CardSequences) => {
    const scores = await engine.score(sequences[kind]);
    return rateOf(scores.filter(({ greedyMatch }) => greedyMatch).length, scores.length);
  };
  return {
    name,
    action,
    benign: await rate("benign"),
    triggered: await rate("triggered"),
    hardNegatives: await rate("hardNegatives"),
  };
}
