/**
 * One writer at a time, through a file that names its holder. A lock whose holder is gone (killed, machine restarted) is
 * taken over; one held on another host cannot be checked, so it is reported with the way out.
 */
import { randomBytes } from "node:crypto";
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { z } from "zod";
import { InputError } from "../formats/input-error.js";

/** Several processes may race for a stale lock; each round one of them wins, so a few rounds are enough to see a holder. */
const MAX_ATTEMPTS = 5;

const holderSchema = z.object({ pid: z.number().int().positive(), host: z.string(), started: z.string() });
type Holder = z.infer<typeof holderSchema>;

/** A live process, or one on another host, holds the lock. */
export class LockHeld extends InputError {}

/** Takes the lock at `path` and returns the function that gives it back. LockHeld when a live process holds it. */
export function takeLock(path: string, what: string): () => void {
  const token = randomBytes(6).toString("hex");
  const mine = JSON.stringify({ pid: process.pid, host: hostname(), started: startOf(process.pid) ?? "", token });
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    if (create(path, mine, token))
      return untilExit(() => readIfPresent(path) === mine && rmSync(path, { force: true }));
    const text = readIfPresent(path);
    if (text === undefined) continue; // given back in between
    const holder = parseHolder(text);
    if (holder && !isGone(holder))
      throw new LockHeld(
        `${what}: is being written by process ${holder.pid} on ${holder.host}; wait for it, or delete ${path} if that process no longer runs`,
      );
    // Move it aside rather than delete it: only one racer succeeds, and a fresh lock moved by mistake is put back.
    const aside = `${path}.${token}`;
    try {
      renameSync(path, aside);
    } catch {
      continue;
    }
    if (readFileSync(aside, "utf8") !== text)
      try {
        linkSync(aside, path);
      } catch {
        // someone else holds it by now; the next round reports them
      }
    rmSync(aside, { force: true });
  }
  throw new InputError(`${what}: several processes are trying to write it at once; run one of them`);
}

/** What gives a lock back, once; at the latest when the process exits, where other hosts could not tell that it has. */
function untilExit(giveBack: () => void): () => void {
  const once = () => {
    process.off("exit", once);
    giveBack();
  };
  process.on("exit", once);
  return once;
}

/** Creates the lock whole: written under another name, then linked, so that nobody can read half of it. */
function create(path: string, text: string, token: string): boolean {
  const draft = `${path}.${token}.new`;
  writeFileSync(draft, text, { flag: "wx" });
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    if (code !== "EPERM" && code !== "ENOTSUP" && code !== "ENOSYS") throw error;
    return createPlainly(path, text); // a file system without hard links
  } finally {
    rmSync(draft, { force: true });
  }
}

function createPlainly(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** undefined for anything we did not write whole: such a lock holds nothing. */
function parseHolder(text: string): Holder | undefined {
  try {
    return holderSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function isGone(holder: Holder): boolean {
  if (holder.host !== hostname()) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return true;
  }
  // The number may have been given to another process since (in a container it often is): compare starting times.
  const started = startOf(holder.pid);
  return holder.started !== "" && started !== undefined && started !== holder.started;
}

/** Boot and clock tick at which a process started, where /proc tells; undefined elsewhere. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command name, in parentheses, may hold spaces; field 22 is the 20th after it.
    const ticks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    return `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()} ${ticks}`;
  } catch {
    return undefined;
  }
}
