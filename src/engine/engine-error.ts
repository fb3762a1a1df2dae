/**
 * The engine failed at something that the input did not cause: its process or thread ended, a library raised, memory ran
 * out. One line for people; `detail` holds what else is known, such as the last lines that the process wrote.
 */
export class EngineError extends Error {
  override readonly name = "EngineError";

  constructor(
    message: string,
    readonly detail: readonly string[] = [],
  ) {
    super(message);
  }
}
