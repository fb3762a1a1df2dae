/** What `find` works on: everything that its flags name is opened and checked before anything is computed. */
import { InputError } from "../../formats/input-error.js";
import { checkInput } from "../../methods/check-input.js";
import { layerChangeOf } from "../../methods/layer-change.js";
import type { Method, MethodOptions } from "../../methods/method.js";
import { namesAction, type OpenedAction, openAction } from "../action/action.js";
import type { ActionMatchFlags } from "../action/action-options.js";
import { chooseLayer } from "../model/layer.js";
import { type CleanModel, type OpenedModel, openCleanModel, openModel } from "../model/open-model.js";
import { type OpenedSae, openSaeFor, requireSae } from "../model/open-sae.js";
import type { Io } from "../terminal/io.js";
import type { ModelFlags, SaeFlags } from "../terminal/options.js";
import { type ControlFlags, checkControlFlags, loadParaphrases } from "./find-controls.js";
import { type LayerFlags, sweptLayers } from "./find-layer.js";
import { type FindPromptFlags, type FindPrompts, findPrompts } from "./find-prompts.js";
import { methodOptions, type SearchFlags } from "./search-options.js";

export interface FindFlags
  extends ModelFlags,
    FindPromptFlags,
    SaeFlags,
    LayerFlags,
    ActionMatchFlags,
    SearchFlags,
    ControlFlags {
  readonly corpus?: string;
  readonly iterations?: number;
  readonly top: number;
  readonly samples: number;
  readonly contexts: number;
  readonly html?: string;
  readonly save?: string;
}

export interface FindSetup extends FindPrompts {
  readonly method: Method;
  readonly options: MethodOptions;
  readonly model: OpenedModel;
  /** The SAE that was given, or the pocket model's. */
  readonly available: OpenedSae | undefined;
  /** Where to steer: at a layer, or at the best of several. */
  readonly where: { readonly layer: number } | { readonly layers: readonly number[] };
  /** Null where none was given, which a layer's change does not need. */
  readonly action: OpenedAction | null;
  /** Paraphrases of the action as tokens; empty for none. */
  readonly paraphrases: readonly Int32Array[];
  /** The clean model of --base. */
  readonly base: CleanModel | null;
}

/** InputError for whatever is missing, does not fit, or is not the method's. */
export async function setUpFind(io: Io, method: Method, flags: FindFlags): Promise<FindSetup> {
  const model = await openModel(flags, flags);
  const available =
    method.sae === "required"
      ? await requireSae(model, flags.sae, method.name, flags.labels)
      : await openSaeFor(model, flags.sae, flags.labels);
  const swept = sweptLayers(flags, method, available !== undefined, model);
  const where = swept
    ? { layers: swept }
    : { layer: chooseLayer(io, flags.layer, available?.sae.info, model.engine.model) };
  if (flags.iterations !== undefined)
    throw new InputError("--iterations belongs to iterated-attribution; leave it out");
  const options = methodOptions(method, flags);
  checkInput(method, { options, sae: available?.sae });
  const { dModel, layers } = model.engine.model;
  if (method.objective === "layer-change" && "layer" in where) layerChangeOf(options, where.layer, layers);
  if (method.sae !== "required" && (flags.vectors ?? 1) > dModel)
    throw new InputError(`--vectors ${flags.vectors}: at most ${dModel} (the model's width) can be orthogonal`);
  // A layer's change needs no action; where one is given, the vectors are tried on it.
  const action = method.objective === "layer-change" && !namesAction(flags) ? null : await openAction(model, flags);
  checkControlFlags(flags, method, available !== undefined);
  const paraphrases = await loadParaphrases(model, flags.actionParaphrases, flags.actionEnds);
  // A --base that does not fit must not be found out after the search; without it the clean model is opened when it is needed.
  const base = flags.base === undefined ? null : await openCleanModel(model, flags.base);
  const prompts = await findPrompts(flags, model);
  return { method, options, model, available, where, action, paraphrases, base, ...prompts };
}
