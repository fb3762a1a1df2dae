/** The corpus scan by itself: the latents that mark the prompts on which the action comes, or is likely. */

import { contrastFiring, contrastSoft } from "../../audit/concepts/scan.js";
import { LEAST_FIRINGS } from "../../audit/evidence/candidates.js";
import { SCAN_FIRING, SCAN_SOFT } from "../../audit/search/search.js";
import type { Contender } from "./contender.js";
import { RANKING_READINGS, readRanking } from "./read-ranking.js";

export const scanContenders: readonly Contender[] = [
  {
    name: SCAN_FIRING,
    summary: "latents that mark the prompts of the search half on which the action comes",
    readings: RANKING_READINGS,
    answer: async (station) => {
      const { half } = await station.room();
      return readRanking(station, contrastFiring(await station.observed(), half, LEAST_FIRINGS));
    },
  },
  {
    name: SCAN_SOFT,
    summary: "latents on whose prompts of the search half the action is likelier",
    readings: RANKING_READINGS,
    answer: async (station) => {
      const { half } = await station.room();
      return readRanking(station, contrastSoft(await station.observed(), half, LEAST_FIRINGS));
    },
  },
];
