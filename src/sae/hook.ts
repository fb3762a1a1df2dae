/** Where in a model an SAE reads, from the names that libraries give the places. */
import { InputError, quote } from "../formats/input-error.js";
import type { SaeInfo } from "./sae.js";

/** A block's output: TransformerLens' name, and the module that is the block in Hugging Face models (with or without `model.`). */
const AFTER_BLOCK = [
  /^blocks\.(\d+)\.hook_resid_post$/,
  /^(?:model\.)?(?:language_model\.)?(?:model\.)?layers\.(\d+)(?:\.output)?$/,
  /^(?:transformer\.)?h\.(\d+)(?:\.output)?$/,
  /^gpt_neox\.layers\.(\d+)(?:\.output)?$/,
];
const BEFORE_BLOCK = /^blocks\.(\d+)\.hook_resid_pre$/;

/**
 * The block after which the residual stream is read: n for `blocks.n.hook_resid_post` (TransformerLens) and `model.layers.n`
 * (a block's output in Hugging Face models), n − 1 for `blocks.n.hook_resid_pre`. Undefined for every other place,
 * and before the first block.
 */
function residualLayer(hook: string): number | undefined {
  for (const pattern of AFTER_BLOCK) {
    const after = pattern.exec(hook);
    if (after !== null) return Number(after[1]);
  }
  const before = BEFORE_BLOCK.exec(hook);
  return before === null || Number(before[1]) === 0 ? undefined : Number(before[1]) - 1;
}

/** `hook` and its layer as fields of an SAE's description; none where the file names no hook point. */
export function hookInfo(hook: string | undefined): Pick<SaeInfo, "layer" | "hook"> {
  if (hook === undefined) return {};
  const layer = residualLayer(hook);
  return layer === undefined ? { hook } : { hook, layer };
}

/** InputError unless `hook` is a place of the residual stream; `where`: the file that names it. */
export function requireResidual(hook: string | undefined, where: string): void {
  if (hook !== undefined && residualLayer(hook) === undefined)
    throw new InputError(
      `${where}: the SAE reads ${quote(hook)}; only the residual stream can be read, for example blocks.12.hook_resid_post`,
    );
}
