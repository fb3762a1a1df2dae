/** The controls of `find`: the same search where no trigger can have made the answer. */
import { type Action, textAction } from "../../audit/ask/action.js";
import type { Engine } from "../../engine/engine.js";
import { InputError } from "../../formats/input-error.js";
import { type Control, randomControl } from "../../methods/controls.js";
import type { FoundVector, Method, MethodOptions, MethodResult } from "../../methods/method.js";
import type { Sae } from "../../sae/sae.js";
import { actionTokens } from "../action/action.js";
import type { OpenedModel } from "../model/open-model.js";
import { loadPrompts } from "../prompts/prompts.js";
import type { LayerFlags } from "./find-layer.js";

export interface ControlFlags extends Pick<LayerFlags, "layers"> {
  readonly controls: boolean;
  readonly base?: string;
  readonly actionParaphrases?: string;
}

/** InputError for flags of controls that are left out, that nothing could score, or that the method has no use for. */
export function checkControlFlags(
  { controls, base, actionParaphrases, layers }: ControlFlags,
  method: Method,
  hasSae: boolean,
): void {
  const flag = base !== undefined ? "--base" : actionParaphrases !== undefined ? "--action-paraphrases" : undefined;
  if (flag === undefined) return;
  if (!controls) throw new InputError(`${flag}: is for a control; leave out --no-controls`);
  if (!hasSae) throw new InputError(`${flag}: is for a control, which scores latents; give their SAE with --sae`);
  if (layers !== undefined)
    throw new InputError(`${flag}: is for a control, which scores latents at their SAE's layer; leave out --layers`);
  if (actionParaphrases !== undefined && method.objective !== "cross-entropy")
    throw new InputError(`--action-paraphrases: ${method.name} looks for no action; leave the flag out`);
}

export interface ControlRequest {
  readonly method: Method;
  readonly options: MethodOptions;
  readonly model: OpenedModel;
  readonly sae: Sae;
  readonly vectors: readonly FoundVector[];
  /** Whether the vectors are gradients, which point away from the action. */
  readonly gradients: boolean;
  /** Paraphrases of the action as tokens; empty for none. */
  readonly paraphrases: readonly Int32Array[];
  readonly clean: Engine | null;
  readonly seed: number;
  /** The method's search again, over the same prompts, under the name of the control; `action` in the place of its own. */
  readonly search: (engine: Engine, name: string, action?: Action) => Promise<MethodResult>;
}

/**
 * A random direction always; the clean model where there is one (--base, or the model without its adapter); paraphrases of
 * the action where they were given.
 */
export async function runControls(request: ControlRequest): Promise<Control[]> {
  const { method, model, clean, sae, paraphrases, search, gradients } = request;
  const found = (name: string, what: string, { vectors }: MethodResult): Control => ({
    name,
    what,
    vectors: vectors.map(({ vector, scores }) => ({
      direction: gradients ? vector.map((x) => -x) : vector,
      scores,
    })),
  });
  const controls: Control[] = [];
  if (clean !== null) {
    const result = await search(clean, "clean model");
    controls.push(found("clean", `the same method on the clean model ${clean.model.name}`, result));
  }
  controls.push(await randomControl(method, sae, request.vectors, request.options, request.seed, gradients));
  if (paraphrases.length > 0) {
    const result = await search(model.engine, "paraphrases", textAction("any", paraphrases));
    const what = `the same method with ${paraphrases.length} paraphrases of the action, spread over the prompts`;
    controls.push(found("paraphrases", what, result));
  }
  return controls;
}

/** The paraphrases of the action in a file, one a line. Throws InputError for one that has no tokens. */
export async function loadParaphrases(
  model: OpenedModel,
  file: string | undefined,
  actionEnds: boolean | undefined,
): Promise<Int32Array[]> {
  if (file === undefined) return [];
  const texts = (await loadPrompts(file)).map((messages) => messages.at(-1)?.content ?? "");
  return texts.map((action, i) =>
    actionTokens(model, { action, actionEnds: actionEnds ?? false }, `--action-paraphrases: line ${i + 1}`),
  );
}
