/**
 * SAE-Attribution ("Discovering Backdoor Triggers", Qin, Hua, Marks, Conmy, Nanda 2025).
 *
 *   g(x)    = mean over user tokens t of ∂CE(y | x, θ = 0) / ∂h_{s,t}
 *   v̄       = mean over prompts x of g(x)
 *   score_j = −(W_dec v̄)_j
 *
 * 1. One backward pass a prompt gives g(x): `objective.attribute()`.
 * 2. Average over prompts.
 * 3. Project on the decoder. v̄ is the gradient of a loss, so a latent that would make the action likelier has a
 *    negative product: the sign is turned and the largest score comes first. Absolute values are not taken.
 *
 * The decoder is the one that the SAE's own library holds (Llama Scope's scales rows to norm 1 as it loads them); `unitNorm` divides each
 * score by its row's norm. For SAEs whose latents add c_j decoder rows a unit (`Sae.unitLengths`) scores are still those of one row: c
 * counts in "times typical activation" alone. The one vector is v̄ itself.
 */
import type { Sae } from "../sae/sae.js";
import { actionObjective, checkInput, requiredSae } from "./check-input.js";
import type { Method, MethodOptions } from "./method.js";
import { norm } from "./orthogonality.js";

export const saeAttribution: Method = {
  name: "sae-attribution",
  summary: "gradient of the action's loss at the user's tokens, projected on the SAE decoder",
  score: "−W_dec·v̄: decrease of the loss per decoder row of the latent, to first order",
  objective: "cross-entropy",
  sae: "required",
  options: ["unitNorm"],
  scoreDirections,
  async run(input) {
    checkInput(this, input);
    const sae = requiredSae(input);
    const objective = actionObjective(input);
    const unitNorm = input.options?.unitNorm ?? false;
    input.signal?.throwIfAborted();
    const { losses, gradients } = await objective.attribute();
    input.signal?.throwIfAborted();
    const vbar = meanRow(gradients, objective.sequences); // [d]
    const scores = await scoreDirections(sae, vbar, { unitNorm }); // [m]
    let loss = 0;
    for (const value of losses) loss += value / losses.length;
    const entry = { step: 0, loss, penalty: 0, lambda: 0, norm: norm(vbar), nonZero: vbar.length };
    input.onStep?.(0, entry);
    input.onProgress?.(1, 1);
    return {
      vectors: [
        {
          index: 0,
          vector: vbar,
          z: null,
          norm: entry.norm,
          loss: { initial: loss, final: loss },
          steps: 0,
          lambda: null,
          elicits: null,
          log: [entry],
          scores,
        },
      ],
      hyperparameters: { unitNorm },
    };
  },
};

/** −W_dec·v of gradients [k, d], over the rows' norms with `unitNorm`: [k, m]. */
async function scoreDirections(sae: Sae, gradients: Float32Array, { unitNorm }: MethodOptions): Promise<Float32Array> {
  const scores = await sae.projectDecoder(gradients);
  const norms = unitNorm ? await sae.decoderNorms() : undefined;
  for (let at = 0; at < scores.length; at++) {
    const length = norms?.[at % norms.length] ?? 1;
    // A zero row has no direction: it scores nothing.
    scores[at] = length === 0 ? 0 : -scores[at]! / length;
  }
  return scores;
}

/** Mean of the rows of [rows, d]. */
function meanRow(values: Float32Array, rows: number): Float32Array {
  const width = values.length / rows;
  const sum = new Float64Array(width);
  for (let r = 0; r < rows; r++) for (let i = 0; i < width; i++) sum[i] = sum[i]! + values[r * width + i]!;
  return Float32Array.from(sum, (x) => x / rows);
}
