/**
 * What a command writes: its result on stdout, progress and messages on stderr. Progress is drawn over one line on a
 * terminal; elsewhere long work says where it is now and then. Nothing is said about work that ends at once.
 */
import type { Writable } from "node:stream";
import { duration, visible } from "./text.js";

/** Work shorter than this shows no progress. */
const QUIET_MS = 1500;
/** How often a terminal's line is drawn again. */
const REDRAW_MS = 200;
/** How often a log without a terminal gets a line. */
const LOG_EVERY_MS = 15_000;

/** Longest message: files may put anything into one, so what is longer loses its middle, and keeps what would be right. */
const MAX_MESSAGE = 1000;

/** What the line that says what is wrong begins with. */
export const ERROR_PREFIX = "antecedent: ";

export type Output = Writable & { readonly isTTY?: boolean };

interface Task {
  readonly label: string;
  readonly started: number;
  /** Done before it started: no part of the rate. */
  readonly from: number;
  readonly show: (count: number) => string;
  drawn: number;
}

/** How progress is counted and shown. */
export interface ProgressOptions {
  /** Done already. */
  readonly from?: number;
  /** A number as text, with its unit. */
  readonly show?: (count: number) => string;
}

export class Io {
  #task: Task | undefined;
  /** Whether the terminal's cursor stands on a progress line. */
  #lineOpen = false;
  /** When a log last got a line: a long work may be many short tasks. */
  #logged = performance.now();

  constructor(
    private readonly stdout: Output,
    private readonly stderr: Output,
    readonly signal: AbortSignal,
  ) {}

  /** Prints the result: `json()` as one document when `asJson`, else `text()`. */
  result(asJson: boolean | undefined, json: () => unknown, text: () => string): void {
    this.endProgress();
    const shown = asJson ? JSON.stringify(json()) : text().trimEnd();
    this.stdout.write(`${shown}\n`);
  }

  /** Text as it is, for help. */
  print(text: string): void {
    this.stdout.write(text);
  }

  /** A line on stderr. */
  log(line: string): void {
    this.endProgress();
    this.stderr.write(`${line}\n`);
  }

  /** The one line that says what is wrong with the input. */
  error(message: string): void {
    const line = visible(message.replaceAll("\n", " "));
    const half = MAX_MESSAGE / 2;
    const shown = line.length > MAX_MESSAGE ? `${line.slice(0, half)} … ${line.slice(-half)}` : line;
    this.stderr.write(`${ERROR_PREFIX}${shown}\n`);
  }

  /** A reporter of progress for one piece of work, to be passed as `onProgress`. */
  progress(label: string, { from = 0, show = String }: ProgressOptions = {}): (done: number, total: number) => void {
    this.endProgress();
    const now = performance.now();
    const task: Task = { label, from, show, started: now, drawn: now - REDRAW_MS };
    this.#task = task;
    return (done, total) => {
      if (this.#task !== task) return;
      this.#draw(task, done, total);
    };
  }

  /** Takes the progress line away. */
  endProgress(): void {
    if (this.#lineOpen) this.stderr.write("\r\u001b[K");
    this.#lineOpen = false;
    this.#task = undefined;
  }

  /** Resolves when everything written has left the process; rejects where nobody takes it. */
  async flush(): Promise<void> {
    this.endProgress();
    await Promise.all(
      [this.stdout, this.stderr].map(
        (stream) =>
          new Promise<void>((resolve, reject) => stream.write("", (error) => (error ? reject(error) : resolve()))),
      ),
    );
  }

  #draw(task: Task, done: number, total: number): void {
    const now = performance.now();
    const seconds = (now - task.started) / 1000;
    const terminal = this.stderr.isTTY === true;
    if (terminal ? now - task.started < QUIET_MS || now - task.drawn < REDRAW_MS : now - this.#logged < LOG_EVERY_MS)
      return;
    task.drawn = now;
    this.#logged = now;
    const rate = (done - task.from) / seconds;
    const left = rate > 0 && total > done ? `, ${duration((total - done) / rate)} left` : "";
    const { show } = task;
    const speed = show === String ? (rate >= 10 ? rate.toFixed(0) : rate.toPrecision(2)) : show(Math.max(0, rate));
    const line = `${task.label}: ${show(done)} of ${show(total)} (${speed}/s${left})`;
    this.stderr.write(terminal ? `\r\u001b[K${line}` : `${line}\n`);
    this.#lineOpen = terminal;
  }
}
