/** What a sitting of a benchmark has done, a line a piece, and how long the rest will take. */
import type { Io } from "../terminal/io.js";
import { duration } from "../terminal/text.js";

export class WorkProgress {
  readonly #times = new Map<string, { seconds: number; count: number }>();
  readonly #left = new Map<string, number>();
  readonly #total: number;
  #done = 0;

  /** @param kinds kind of each piece of work to come: pieces of one kind take about as long */
  constructor(
    private readonly io: Io,
    kinds: readonly string[],
  ) {
    for (const kind of kinds) this.#left.set(kind, (this.#left.get(kind) ?? 0) + 1);
    this.#total = kinds.length;
  }

  /** Takes note of how long a piece of that kind took. */
  learn(kind: string, seconds: number): void {
    const known = this.#times.get(kind) ?? { seconds: 0, count: 0 };
    this.#times.set(kind, { seconds: known.seconds + seconds, count: known.count + 1 });
  }

  /** Says what came out of a piece. */
  done(kind: string, seconds: number, line: string): void {
    this.learn(kind, seconds);
    this.#left.set(kind, (this.#left.get(kind) ?? 1) - 1);
    this.#done++;
    const left = this.#secondsLeft();
    this.io.log(
      `${this.#done} of ${this.#total}: ${line} (${duration(seconds)}${left > 0 ? `; ${duration(left)} left` : ""})`,
    );
  }

  /** Pieces left times the mean of their kind; the mean of all kinds where there is none yet. */
  #secondsLeft(): number {
    const mean = (times: Iterable<{ seconds: number; count: number }>) => {
      let [seconds, count] = [0, 0];
      for (const time of times) [seconds, count] = [seconds + time.seconds, count + time.count];
      return count === 0 ? 0 : seconds / count;
    };
    let seconds = 0;
    for (const [kind, count] of this.#left) {
      const known = this.#times.get(kind);
      seconds += count * mean(known ? [known] : this.#times.values());
    }
    return seconds;
  }
}
