/** Where in a model an SAE reads, from the names that libraries give the places. */

/**
 * The block after which the residual stream is read: n for `blocks.n.hook_resid_post` (TransformerLens) and `model.layers.n`
 * (a block's output in Hugging Face models), n − 1 for `blocks.n.hook_resid_pre`. Undefined for every other place,
 * and before the first block.
 */
export function residualLayer(hook: string): number | undefined {
  const after = /^blocks\.(\d+)\.hook_resid_post$/.exec(hook) ?? /^model\.layers\.(\d+)(?:\.output)?$/.exec(hook);
  if (after !== null) return Number(after[1]);
  const before = /^blocks\.(\d+)\.hook_resid_pre$/.exec(hook);
  return before === null || Number(before[1]) === 0 ? undefined : Number(before[1]) - 1;
}
