/** `sae latents`: single latents with all that says what they mean. */

import { presentCard, type ResultCard } from "../../audit/answer/present-card.js";
import { InputError } from "../../formats/input-error.js";
import { latentCosines } from "../../sae/direction-reading.js";
import { CARD_SIZES, decoderRows, latentCards } from "../../sae/latent-card.js";
import { largest } from "../../sae/ranking.js";
import { readLatentCorpus } from "../latents/latent-corpus.js";
import { cardText } from "../latents/latent-text.js";
import { chooseLayer } from "../model/layer.js";
import { openModel } from "../model/open-model.js";
import { type OpenedSae, requireSae } from "../model/open-sae.js";
import { usedSettings, usedText } from "../model/used.js";
import { CORPUS_SET, loadPrompts, renderAll } from "../prompts/prompts.js";
import type { Io } from "../terminal/io.js";
import type { ModelFlags, PromptFlags, SaeFlags } from "../terminal/options.js";
import { oneLine } from "../terminal/text.js";

/** Latents that --search shows at most. */
const FOUND_LATENTS = 20;
/** Nearest latents listed for each. */
const NEIGHBOURS = 5;

export interface LatentsFlags extends ModelFlags, PromptFlags, SaeFlags {
  readonly ids?: readonly number[];
  readonly search?: string;
  readonly contexts: number;
}

interface Neighbour {
  readonly id: number;
  readonly cosine: number;
  readonly label: string | null;
}

interface InspectedLatent extends ResultCard {
  /** Other latents by cosine of decoder rows, nearest first. */
  readonly nearest: readonly Neighbour[];
}

/** Prints the latents that --ids or --search name. */
export async function showLatents(io: Io, flags: LatentsFlags): Promise<void> {
  const model = await openModel(flags, flags);
  const opened = await requireSae(model, flags.sae, "sae latents", flags.labels);
  const { sae, name } = opened;
  const layer = chooseLayer(io, flags.layer, sae.info, model.engine.model);
  const ids = chosenLatents(flags, opened);
  const corpusName = flags.prompts ?? (model.isPocket ? CORPUS_SET : undefined);
  const prompts = corpusName === undefined ? undefined : renderAll(model, await loadPrompts(corpusName), flags);
  const corpus = prompts && (await readLatentCorpus(io, model, sae, prompts, layer));
  const cards = await latentCards(
    ids,
    {
      sae,
      label: opened.label,
      corpus,
      vocabulary: { unembedding: model.engine, tokenText: (id) => model.tokenizer.tokenText(id) },
    },
    { ...CARD_SIZES, contexts: flags.contexts },
  );
  const nearest = await nearestLatents(opened, ids);
  const latents: InspectedLatent[] = cards.map((card, i) => ({ ...presentCard(card), nearest: nearest[i]! }));
  const used = usedSettings(
    model,
    { ...flags, date: prompts?.date ?? null },
    { sae: name, layer, corpus: corpusName ?? null },
  );
  io.result(
    flags.json,
    () => ({ latents, used }),
    () => [...latents.map(inspectedText), usedText(used)].join("\n\n"),
  );
}

function chosenLatents(
  { ids, search }: LatentsFlags,
  { sae, name, search: searchLabels }: OpenedSae,
): readonly number[] {
  const { latents } = sae.info;
  if ((ids === undefined) === (search === undefined))
    throw new InputError("give either --ids (for example --ids 12,99) or --search, a text that labels hold");
  if (ids !== undefined) {
    const wrong = ids.find((id) => id >= latents);
    if (wrong !== undefined)
      throw new InputError(`--ids ${wrong}: ${name} has ${latents} latents, numbered 0 to ${latents - 1}`);
    return [...new Set(ids)];
  }
  const found = searchLabels(search!, FOUND_LATENTS);
  if (found.length === 0)
    throw new InputError(
      `--search ${search}: no label of ${name} holds it, or words like it; labels are often words at which a latent fires: try an instance of what you mean, or --ids`,
    );
  return found;
}

async function nearestLatents({ sae, label }: OpenedSae, ids: readonly number[]): Promise<Neighbour[][]> {
  const cosines = await latentCosines(sae, await decoderRows(sae, ids));
  return cosines.map(({ decoder }, i) =>
    largest(decoder, NEIGHBOURS + 1)
      .filter((id) => id !== ids[i])
      .slice(0, NEIGHBOURS)
      .map((id) => ({ id, cosine: decoder[id]!, label: label(id) ?? null })),
  );
}

function inspectedText(latent: InspectedLatent): string {
  const near = latent.nearest.map(
    ({ id, cosine, label }) => `${id} ${cosine.toFixed(2)}${label ? ` (${oneLine(label, 28)})` : ""}`,
  );
  return `${cardText(latent)}\n  near ${near.join(", ")}`;
}
