/** `bench speed`: time of a steering step, beside transformers with a hook in the same run. */
import { Command } from "commander";
import { InputError } from "../../formats/input-error.js";
import { actionTokens, withAction } from "../action/action.js";
import { openModel } from "../model/open-model.js";
import { watchMemory } from "../model/peak-memory.js";
import { usedSettings, usedText } from "../model/used.js";
import { BENIGN_SET, loadPromptsOr, renderAll, requireMaskedTokens } from "../prompts/prompts.js";
import type { Io } from "../terminal/io.js";
import {
  type ActionFlags,
  actionOptions,
  chosenPython,
  type ModelFlags,
  modelOptions,
  type PromptFlags,
  promptOptions,
  wholeNumber,
} from "../terminal/options.js";
import { bytes, oneLine } from "../terminal/text.js";
import { runPythonPeer } from "./python-peer.js";

const DEFAULT_ACTION = "I won't answer because I don't like fruit.";
const DEFAULT_PROMPTS = 16;
const DEFAULT_STEPS = 10;
/** Characters of why the peer could not be measured. */
const MOST_REASON = 200;
/** The steering layer when none is given: a third of the depth, as the post's SAEs. */
const DEFAULT_DEPTH = 1 / 3;

interface Flags extends ModelFlags, PromptFlags, ActionFlags {
  readonly layer?: number;
  readonly steps: number;
  readonly count: number;
}

export function speedCommand(io: Io): Command {
  const speed = new Command("speed")
    .description("seconds of one steering step (loss and gradient over all prompts), beside transformers with a hook")
    .option("--layer <n>", "steer after this block; default: a third of the depth", wholeNumber(0))
    .option("--steps <n>", "steps to time", wholeNumber(1), DEFAULT_STEPS)
    .option("--count <n>", "prompts in a step", wholeNumber(1), DEFAULT_PROMPTS);
  return actionOptions(promptOptions(modelOptions(speed))).action((flags: Flags) => run(io, flags));
}

async function run(io: Io, given: Flags): Promise<void> {
  const flags = { ...given, model: given.model ?? "pocket", action: given.action ?? DEFAULT_ACTION };
  const model = await openModel(flags, flags);
  const { layers } = model.engine.model;
  const layer = flags.layer ?? Math.floor(layers * DEFAULT_DEPTH);
  if (layer >= layers) throw new InputError(`--layer ${layer}: ${model.name} has layers 0 to ${layers - 1}`);
  const conversations = (await loadPromptsOr(flags.prompts, BENIGN_SET, model)).slice(0, flags.count);
  const rendered = renderAll(model, conversations, flags);
  requireMaskedTokens(rendered.sequences, conversations, "user");
  const sequences = withAction(rendered.sequences, actionTokens(model, flags));

  await model.peakMemory(); // opening the model may take more than a step does
  const memory = watchMemory();
  const started = performance.now();
  const objective = await model.engine.steeringObjective(sequences, layer, { signal: io.signal });
  const theta = new Float32Array(model.engine.model.dModel);
  const first = await objective.evaluate(theta);
  const setupSeconds = (performance.now() - started) / 1000;
  const seconds: number[] = [];
  for (let step = 0; step < flags.steps; step++) {
    io.signal.throwIfAborted();
    const at = performance.now();
    await objective.evaluate(theta);
    seconds.push((performance.now() - at) / 1000);
  }
  const ours = spread(seconds);
  // Of a GPU its own memory alone; else of this process and of the one that computes for it.
  const own = memory.stop();
  const peakMemoryBytes = (flags.device === "cuda" ? 0 : own) + (await model.peakMemory());
  const python = chosenPython(flags);
  // A GPU holds one of the two at a time, so that neither counts against the other's memory.
  await model.engine.close();
  const answer = await runPythonPeer(python, {
    model: model.path ?? model.name,
    adapter: model.adapterPath,
    layer,
    device: flags.device,
    dtype: flags.dtype,
    quantize: flags.quantize ?? null,
    threads: flags.threads,
    steps: flags.steps,
    sequences: sequences.map(({ prompt, mask, action }) => ({
      prompt: [...prompt],
      mask: [...mask],
      action: [...action],
    })),
  });
  const [peer, failure] = typeof answer === "string" ? [null, answer] : [answer, null];
  const theirs = peer ? spread(peer.seconds) : null;
  const result = {
    prompts: sequences.length,
    tokens: sequences.reduce((sum, { prompt, action }) => sum + prompt.length + action.length, 0),
    layer,
    setupSeconds,
    step: ours,
    peakMemoryBytes,
    pytorch: theirs,
    pytorchFailure: failure,
    pytorchPeakMemoryBytes: peer?.peakBytes ?? null,
    ratio: theirs ? theirs.median / ours.median : null,
    lossDifference: peer ? Math.abs(peer.loss - first.losses[0]!) : null,
    used: usedSettings(model, { ...flags, date: rendered.date }, { action: flags.action, layer }),
  };
  io.result(
    flags.json,
    () => result,
    () =>
      [
        `${result.prompts} prompts, ${result.tokens} tokens, steering after block ${layer} of ${layers}`,
        `antecedent            ${show(ours)} a step, set-up ${setupSeconds.toFixed(2)} s, peak memory ${bytes(peakMemoryBytes)}`,
        theirs
          ? `transformers + hook   ${show(theirs)} a step (${flags.device}, ${flags.dtype}, ${flags.threads} threads), peak memory ${bytes(peer!.peakBytes)}\nratio                 ${result.ratio?.toFixed(1)} × (medians of ${flags.steps} steps); losses differ by ${result.lossDifference?.toExponential(1)}`
          : `transformers + hook   not measured: ${oneLine(failure ?? "", MOST_REASON)} (--python PATH names a Python with torch and transformers)`,
        usedText(result.used),
      ].join("\n"),
  );
}

interface Spread {
  readonly least: number;
  readonly median: number;
  readonly most: number;
}

function spread(seconds: readonly number[]): Spread {
  const sorted = [...seconds].sort((a, b) => a - b);
  return { least: sorted[0]!, median: sorted[Math.floor(sorted.length / 2)]!, most: sorted.at(-1)! };
}

function show({ least, median, most }: Spread): string {
  const ms = (seconds: number) => (1000 * seconds).toFixed(seconds < 0.1 ? 1 : 0);
  return `${ms(median)} ms (${ms(least)}–${ms(most)})`;
}
