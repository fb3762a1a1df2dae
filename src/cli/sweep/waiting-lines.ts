/** Lines for stderr that wait until it is known that there is more to say than what is wrong with the input, which is said alone. */
export class WaitingLines {
  #waiting: string[] | null = [];

  constructor(private readonly log: (line: string) => void) {}

  say(line: string): void {
    if (this.#waiting === null) this.log(line);
    else this.#waiting.push(line);
  }

  /** What waits is said now, and all that comes at once. */
  open(): void {
    for (const line of this.#waiting ?? []) this.log(line);
    this.#waiting = null;
  }
}
