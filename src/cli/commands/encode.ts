/** `encode`: SAE latents on the user-content tokens. */
import { Command } from "commander";
import { textOf } from "../../formats/prompts.js";
import { readLatents } from "../../sae/readings.js";
import { chooseLayer } from "../model/layer.js";
import { openModel } from "../model/open-model.js";
import { requireSae } from "../model/open-sae.js";
import { usedSettings, usedText } from "../model/used.js";
import { BENIGN_SET, loadPromptsOr, renderAll } from "../prompts/prompts.js";
import type { Io } from "../terminal/io.js";
import {
  labelledSaeOptions,
  type ModelFlags,
  modelOptions,
  type PromptFlags,
  promptOptions,
  type SaeFlags,
} from "../terminal/options.js";
import { oneLine, table } from "../terminal/text.js";

/** Latents shown for each prompt on a terminal; JSON has all. */
const SHOWN_LATENTS = 8;

type Flags = ModelFlags & PromptFlags & SaeFlags;

interface ActiveLatent {
  readonly id: number;
  /** Index in the rendered prompt. */
  readonly token: number;
  readonly value: number;
}

export function encodeCommand(io: Io): Command {
  const command = new Command("encode").description("every non-zero SAE latent on the user-content tokens");
  return labelledSaeOptions(promptOptions(modelOptions(command))).action((flags: Flags) => encode(io, flags));
}

async function encode(io: Io, flags: Flags): Promise<void> {
  const model = await openModel(flags, flags);
  const { sae, name, label } = await requireSae(model, flags.sae, "encode", flags.labels);
  const layer = chooseLayer(io, flags.layer, sae.info, model.engine.model);
  const conversations = await loadPromptsOr(flags.prompts, BENIGN_SET, model);
  const { sequences, rendered, date } = renderAll(model, conversations, flags);
  const read = await readLatents(model.engine, sae, sequences, layer, {
    onProgress: io.progress("reading prompts"),
    signal: io.signal,
  });
  const rows = read.map(({ tokens, latents }, index) => {
    const active: ActiveLatent[] = [];
    for (let row = 0; row < tokens.length; row++)
      for (let at = latents.rowStart[row]!; at < latents.rowStart[row + 1]!; at++)
        active.push({ id: latents.ids[at]!, token: tokens[row]!, value: latents.values[at]! });
    return { index, latents: active };
  });
  const used = usedSettings(model, { ...flags, date }, { sae: name, architecture: sae.info.architecture, layer });
  io.result(
    flags.json,
    () => ({ rows, used }),
    () => {
      const shown = rows.map(({ index, latents }) => {
        const strongest = [...latents].sort((a, b) => b.value - a.value).slice(0, SHOWN_LATENTS);
        const ids = rendered[index]?.tokens ?? new Int32Array(0);
        const cells = strongest.map(({ id, token, value }) => [
          String(id),
          value.toFixed(3),
          `${token} ${JSON.stringify(model.tokenizer.tokenText(ids[token] ?? -1) ?? "")}`,
          oneLine(label(id) ?? "", 60),
        ]);
        const asked = textOf(conversations[index] ?? []);
        const left = latents.length - strongest.length;
        const more = left > 0 ? `${left} more; --json has all\n` : "";
        return `[${index}] ${oneLine(asked)}: ${latents.length} non-zero\n${table(["latent", "value", "token", "label"], cells, [0, 1])}\n${more}`;
      });
      return [...shown, usedText(used)].join("\n");
    },
  );
}
