/** Computing a sweep's points, for one process or several that share the folder: each point is somebody's alone. */
import { mkdirSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { InputError } from "../../formats/input-error.js";
import { LockHeld } from "../../store/lock-file.js";
import { refuseWriting } from "../../store/refused.js";
import type { Io } from "../terminal/io.js";
import { inShard, type Shard } from "../terminal/shard.js";
import { duration } from "../terminal/text.js";
import type { PointStore } from "./point-store.js";
import { pointText, type Sweep, type SweepPoint } from "./sweep-file.js";
import { computePoint, type PointFailure, type PointResult, storedResult } from "./sweep-points.js";
import { WaitingLines } from "./waiting-lines.js";

/** Where a sweep of this file goes. */
export function sweepFolder(file: string, out: string | undefined): string {
  return out ?? join("sweeps", basename(file, extname(file)));
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    refuseWriting(folder, error);
  }
}

/** What is known of a sweep after a sitting. */
export interface Sitting {
  /** Results by point's id, whoever computed them. */
  readonly known: ReadonlyMap<string, PointResult>;
  /** Why some of this sitting's points failed, by id. */
  readonly failures: ReadonlyMap<string, PointFailure>;
  /** Points that this sitting computed. */
  readonly computed: number;
  /** Points that another process was at when their turn came. */
  readonly elsewhere: number;
  /** Points of the shard. */
  readonly mine: number;
}

/**
 * Computes the points of a shard that nobody has computed and no other process is at. InputError where a stored result is none, before anything is
 * computed, and where no point could be computed for wrong input.
 */
export async function work(
  io: Io,
  file: string,
  { command, points }: Sweep,
  store: PointStore,
  part: Shard | undefined,
): Promise<Sitting> {
  makeFolder(store.folder);
  const known = new Map<string, PointResult>();
  const look = async (some: readonly SweepPoint[]) => {
    for (const point of some.filter(({ id }) => !known.has(id))) {
      const result = await storedResult(command, point, store);
      if (result !== null) known.set(point.id, result);
    }
  };
  await look(points);
  const mine = points.filter((_, i) => inShard(i, part));
  const missing = mine.filter(({ id }) => !known.has(id));
  const failures = new Map<string, PointFailure>();
  let [computed, elsewhere] = [0, 0];
  // A sweep whose input is wrong says that one thing, in the end: what is said of its points waits until one of them gets further.
  const lines = new WaitingLines((line) => io.log(line));
  const started = performance.now();
  for (const [at, point] of missing.entries()) {
    const giveBack = await store.claim(point);
    if (giveBack instanceof LockHeld) {
      elsewhere++;
      lines.open();
      lines.say(giveBack.message);
      continue;
    }
    try {
      await look([point]);
      if (known.has(point.id)) continue; // another process has come first
      const tried = computed + failures.size;
      const each = (performance.now() - started) / 1000 / tried;
      const left = tried === 0 ? "" : ` (${duration(each)} each, ${duration(each * (missing.length - at))} left)`;
      lines.say(`point ${at + 1} of ${missing.length}${left}: ${pointText(point.values)}`);
      const say = (line: string) => {
        lines.open();
        lines.say(line);
      };
      const failure = await computePoint(io, say, command, point, store);
      if (failure === null) computed++;
      else {
        failures.set(point.id, failure);
        lines.say(`  ${failure.message}`);
      }
      if (failure?.wrongInput !== true) lines.open();
    } finally {
      await giveBack();
    }
  }
  await look(points);
  const [first] = failures.values();
  if (
    first !== undefined &&
    failures.size === mine.length &&
    [...failures.values()].every(({ wrongInput }) => wrongInput)
  )
    throw new InputError(`${file}: no point could be computed; the first: ${first.message}`);
  lines.open();
  return { known, failures, computed, elsewhere, mine: mine.length };
}

/** Throws where some points failed, once the result is out. */
export function throwIfSomeFailed({ failures, mine }: Sitting): void {
  const [first] = failures.values();
  if (first !== undefined) throw new Error(`${failures.size} of ${mine} points: the first: ${first.message}`);
}
