/** `generate`: replies to prompts, steered or not. */
import { Command } from "commander";
import { InputError } from "../../formats/input-error.js";
import { textOf } from "../../formats/prompts.js";
import { DEFAULT_REPLY_TOKENS, MAX_REPLY_TOKENS } from "../action/action-options.js";
import { openModel } from "../model/open-model.js";
import { readSteering } from "../model/steering-file.js";
import { usedSettings, usedText } from "../model/used.js";
import { BENIGN_SET, loadPromptsOr, renderAll } from "../prompts/prompts.js";
import type { Io } from "../terminal/io.js";
import {
  type ModelFlags,
  modelOptions,
  nonNegativeNumber,
  type PromptFlags,
  positiveNumber,
  promptOptions,
  type SteeringFlags,
  steeringOptions,
  wholeNumber,
} from "../terminal/options.js";
import { oneLine } from "../terminal/text.js";

type Flags = ModelFlags &
  PromptFlags &
  SteeringFlags & { readonly maxTokens: number; readonly temperature: number; readonly topP: number };

export function generateCommand(io: Io): Command {
  const command = new Command("generate")
    .description("replies to prompts")
    .option("--max-tokens <n>", "longest reply", wholeNumber(1, MAX_REPLY_TOKENS), DEFAULT_REPLY_TOKENS)
    .option("--temperature <t>", "0 always takes the likeliest token", nonNegativeNumber, 0)
    .option("--top-p <p>", "sample from the likeliest tokens that hold this share of probability", positiveNumber, 1);
  return steeringOptions(promptOptions(modelOptions(command))).action((flags: Flags) => generate(io, flags));
}

async function generate(io: Io, flags: Flags): Promise<void> {
  const { maxTokens, temperature, topP, seed } = flags;
  if (topP > 1) throw new InputError(`--top-p ${topP}: is a share of probability; give a number above 0 and at most 1`);
  const model = await openModel(flags, flags);
  const conversations = await loadPromptsOr(flags.prompts, BENIGN_SET, model);
  const steering = await readSteering(flags, model);
  const { sequences, rendered, date } = renderAll(model, conversations, flags);
  const replies = await model.engine.generate(sequences, {
    maxTokens,
    temperature,
    topP,
    seed,
    stop: model.endIds,
    ...(steering ? { steering } : {}),
    onProgress: io.progress("replies"),
    signal: io.signal,
  });
  const rows = replies.map(({ tokens, stopped }, index) => ({
    index,
    prompt: rendered[index]?.text ?? "",
    text: model.tokenizer.decode(tokens, { skipSpecial: true }),
    tokens: [...tokens],
    stopped,
  }));
  const used = usedSettings(
    model,
    { ...flags, date },
    {
      maxTokens,
      temperature,
      topP,
      seed: temperature > 0 ? seed : null,
      steer: flags.steer ?? null,
      scale: steering?.scale ?? null,
      layer: steering?.layer ?? null,
    },
  );
  io.result(
    flags.json,
    () => ({ rows, used }),
    () => {
      const shown = rows.map(({ index, text, stopped }) => {
        const asked = textOf(conversations[index] ?? []);
        return `[${index}] ${oneLine(asked)}\n    → ${oneLine(text, 2000)}${stopped ? "" : " …"}`;
      });
      return [...shown, "", usedText(used)].join("\n");
    },
  );
}
