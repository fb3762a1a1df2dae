/**
 * What the engine computes on: one rendered, tokenised prompt and the action that may follow it.
 */
export interface Sequence {
  /** Token ids of the rendered template with the generation prompt. Never empty. */
  readonly prompt: Int32Array;
  /** 1 where a prompt token is steered and attributed (user content by default), else 0. Length of `prompt`. */
  readonly mask: Uint8Array;
  /** Token ids of the action prefilled as the assistant's reply; empty where there is none. */
  readonly action: Int32Array;
}
