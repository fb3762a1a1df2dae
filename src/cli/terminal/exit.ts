/** How the program ends. */
export const ExitCode = {
  done: 0,
  /** The program failed. */
  failed: 1,
  /** The input is wrong. */
  wrongInput: 2,
  /** Ctrl-C, or asked to end. */
  interrupted: 130,
} as const;

/** The reason that an interrupted call rejects with. */
export class Interrupted extends Error {
  constructor() {
    super("interrupted");
  }
}
