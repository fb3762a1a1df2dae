/**
 * What a ranking of latents says when nobody tests it:
 *   top       the first latent
 *   top two   the first two groups of latents, both: latents that fire on the same prompts are one concept
 * Latents that never fire cannot be an answer and are passed over, as the audit does with candidates.
 */

import type { ScoredLatent } from "../../audit/concepts/scan.js";
import { groupLatents } from "../../audit/evidence/candidates.js";
import { latentPart } from "./answer.js";
import type { Reply } from "./contender.js";
import type { Station } from "./station.js";

export const RANKING_READINGS = ["top", "top two"] as const;

/** Best latents among which groups are formed; as many as an audit takes from a method. */
const GROUPED = 15;

export async function readRanking(station: Station, ranking: readonly ScoredLatent[]): Promise<Reply[]> {
  const alive = await station.alive();
  const { half } = await station.room();
  const latents = ranking.flatMap(({ id }) => (alive(id) ? [id] : [])).slice(0, GROUPED);
  const [first] = latents;
  const groups = groupLatents(latents, half).slice(0, 2);
  const name = (list: readonly number[]) =>
    list.map((id) => `${id}${label(station, id)}`).join(list.length > 1 ? ", " : "");
  return [
    {
      reading: "top",
      answer:
        first === undefined
          ? null
          : { parts: [latentPart([first])], combination: "single", statement: `latent ${name([first])}` },
      confirmed: null,
    },
    {
      reading: "top two",
      answer:
        groups.length < 2
          ? null
          : {
              parts: groups.map((group) => latentPart(group)),
              combination: "all",
              statement: groups.map((group) => `latents ${name(group)}`).join(" AND "),
            },
      confirmed: null,
    },
  ];
}

function label({ context }: Station, latent: number): string {
  const text = context.label?.(latent);
  return text === undefined ? "" : ` (${text})`;
}
