/** `score`: the action's teacher-forced log-probability after each prompt. */
import { Command } from "commander";
import { rateOfFlags } from "../../audit/statistics/statistics.js";
import { InputError } from "../../formats/input-error.js";
import { textOf } from "../../formats/prompts.js";
import { openAction } from "../action/action.js";
import { type ActionMatchFlags, actionMatchOptions } from "../action/action-options.js";
import { openModel } from "../model/open-model.js";
import { readSteering } from "../model/steering-file.js";
import { usedSettings, usedText } from "../model/used.js";
import { BENIGN_SET, loadPromptsOr, renderAll } from "../prompts/prompts.js";
import type { Io } from "../terminal/io.js";
import {
  type ModelFlags,
  modelOptions,
  type PromptFlags,
  promptOptions,
  type SteeringFlags,
  steeringOptions,
} from "../terminal/options.js";
import { oneLine, rateText, table } from "../terminal/text.js";

type Flags = ModelFlags & PromptFlags & SteeringFlags & ActionMatchFlags;

export function scoreCommand(io: Io): Command {
  const command = new Command("score").description(
    "log-probability of the action after each prompt, and whether it comes",
  );
  return steeringOptions(actionMatchOptions(promptOptions(modelOptions(command)))).action((flags: Flags) =>
    score(io, flags),
  );
}

async function score(io: Io, flags: Flags): Promise<void> {
  const model = await openModel(flags, flags);
  const conversations = await loadPromptsOr(flags.prompts, BENIGN_SET, model);
  const steering = await readSteering(flags, model);
  const { action, judge, used: actionUsed } = await openAction(model, flags);
  const { sequences, date } = renderAll(model, conversations, flags);
  const outcomes = await action.outcomes(model.engine, sequences, {
    ...(steering ? { steering } : {}),
    onProgress: io.progress("scoring prompts"),
    signal: io.signal,
  });
  const [text] = action.texts;
  const rows = outcomes.map(({ scores, fired, reply }, index) => {
    const { tokenLogprobs, greedyMatch } = scores[0]!;
    const row = {
      index,
      logprob: sum(tokenLogprobs),
      tokenLogprobs: [...tokenLogprobs],
      tokens: [...text!],
      greedyMatch,
    };
    return { ...row, acts: fired, ...(reply === null ? {} : { reply }) };
  });
  const loss = rows.reduce((total, { logprob }) => total - logprob / text!.length, 0) / rows.length;
  if (Number.isNaN(loss))
    throw new InputError(
      steering
        ? `${model.name}: computes values that are not numbers with this vector; give a smaller --scale, or another vector`
        : `${model.name}: computes values that are not numbers; its weights or the adapter's are damaged`,
    );
  const actionRate = rateOfFlags(rows.map(({ acts }) => acts));
  const used = usedSettings(
    model,
    { ...flags, date },
    {
      ...actionUsed,
      judgeUnclear: judge?.unclear ?? null,
      steer: flags.steer ?? null,
      scale: steering?.scale ?? null,
      layer: steering?.layer ?? null,
    },
  );
  io.result(
    flags.json,
    () => ({ rows, loss, actionRate, used }),
    () =>
      [
        table(
          ["prompt", "log p", "said", "text"],
          rows.map(({ index, logprob, acts }) => [
            String(index),
            logprob.toFixed(3),
            acts ? "yes" : "no",
            oneLine(textOf(conversations[index] ?? []), 70),
          ]),
          [0, 1],
        ),
        "",
        `loss ${loss.toFixed(4)} nats a token · said on ${rateText(actionRate)}`,
        usedText(used),
      ].join("\n"),
  );
}

function sum(values: Float32Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
