/** `sae quality`, and how the quality of an SAE is printed. */
import { type ModelQuality, modelQuality } from "../../sae/model-quality.js";
import { chooseLayer } from "../model/layer.js";
import { openModel } from "../model/open-model.js";
import { requireSae } from "../model/open-sae.js";
import { usedSettings, usedText } from "../model/used.js";
import { CORPUS_SET, loadPromptsOr, renderAll, requireReadTokens } from "../prompts/prompts.js";
import type { Io } from "../terminal/io.js";
import type { ModelFlags, PromptFlags, SaeFlags } from "../terminal/options.js";

export interface QualityFlags extends ModelFlags, PromptFlags, SaeFlags {}

/** Measures an SAE on the text that --prompts names. */
export async function showQuality(io: Io, flags: QualityFlags): Promise<void> {
  const model = await openModel(flags, flags);
  const { sae, name } = await requireSae(model, flags.sae, "sae quality");
  const layer = chooseLayer(io, flags.layer, sae.info, model.engine.model);
  const { sequences, date } = renderAll(model, await loadPromptsOr(flags.prompts, CORPUS_SET, model), flags);
  requireReadTokens(sequences, flags);
  const quality = await modelQuality(model.engine, sae, sequences, layer, {
    onProgress: io.progress("measuring the SAE"),
    signal: io.signal,
  });
  const used = usedSettings(model, { ...flags, date }, { sae: name, layer, prompts: flags.prompts ?? CORPUS_SET });
  io.result(
    flags.json,
    () => ({ ...quality, latents: sae.info.latents, used }),
    () => `${name}: ${sae.info.latents} latents, ${qualityText(quality)}\n\n${usedText(used)}`,
  );
}

export function qualityText(quality: ModelQuality): string {
  const { explainedVariance, l0, dead, rows, loss, lossRecovered, lossRecoveredFromMean } = quality;
  const lines = [
    `${rows} tokens: explained variance ${explainedVariance.toFixed(3)}, ${l0.toFixed(1)} active a token, ${dead} never active`,
  ];
  if (loss) {
    const nats = (value: number) => value.toFixed(3);
    lines.push(
      `  next-token loss ${nats(loss.original)}; from the reconstruction ${nats(loss.reconstructed)}, from zeros ${nats(loss.zero)}, from the mean row ${nats(loss.mean)} nats`,
      `  loss recovered ${shareText(lossRecovered)} against zeros, ${shareText(lossRecoveredFromMean)} against the mean row`,
    );
  }
  return lines.join("\n");
}

function shareText(share: number | null): string {
  return share === null ? "not defined" : share.toFixed(3);
}
