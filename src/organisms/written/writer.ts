/** Who writes prompts: the base model itself, or an endpoint that the user named. The rest of this folder does not know which. */

export interface Question {
  readonly text: string;
  /** 0 = the likeliest answer. */
  readonly temperature: number;
  readonly seed: number;
  /** Longest answer worth waiting for, tokens; models that think aloud may be given more. */
  readonly maxTokens: number;
}

export interface WriterCalls {
  readonly signal?: AbortSignal;
  /** Called now and then while answers come in. */
  readonly onAnswer?: () => void;
}

export interface Writer {
  /** An answer to each question, in order. What it says is a stranger's: any text at all. */
  answers(questions: readonly Question[], calls?: WriterCalls): Promise<string[]>;
}
