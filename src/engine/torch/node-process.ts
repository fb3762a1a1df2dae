/** Starts the PyTorch program under Node: the other side of a transport. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Transport, TransportEnd } from "./transport.js";

/** Beside src/ as beside dist/. */
const PROGRAM = fileURLToPath(new URL("../../../python/torch_engine.py", import.meta.url));
/** Lines of stderr that are kept for a message. */
const KEPT_LINES = 20;
/** A line without end must not fill the memory. */
const MAX_LINE = 2000;
/** How long a process that was asked to end may take before it is killed. */
const GRACE_MS = 2000;

/** `python` is an interpreter's name or path. */
export function startTorchProcess(python: string): Transport {
  const child = spawn(python, ["-B", "-u", PROGRAM], { stdio: ["pipe", "pipe", "pipe"] });
  const stderr = lastLines(child);
  let ended: Promise<TransportEnd> | null = null;
  const whenEnded = () => {
    ended ??= new Promise((resolve) => {
      child.on("error", (error) => resolve({ how: `could not be started (${errorCode(error)})`, stderr: stderr() }));
      child.on("close", (code, signal) =>
        resolve({ how: signal ? `was ended by ${signal}` : `ended with code ${code}`, stderr: stderr() }),
      );
    });
    return ended;
  };
  void whenEnded();
  child.stdin.on("error", () => undefined); // its end says what happened
  const hold = (waiting: boolean) => {
    const set = waiting ? "ref" : "unref";
    child[set]();
    for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as unknown as Referable)[set]?.();
  };
  return {
    hold,
    send(pieces) {
      for (const piece of pieces) child.stdin.write(piece);
    },
    listen(onData, onEnd) {
      child.stdout.on("data", onData);
      void whenEnded().then(onEnd);
    },
    async close() {
      hold(true);
      child.stdin.end(); // at the end of its input the program ends by itself
      const timer = setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
      await whenEnded();
      clearTimeout(timer);
    },
  };
}

/** Pipes are sockets, which can let the program end. */
interface Referable {
  ref?(): void;
  unref?(): void;
}

/** The last lines that the process wrote on stderr. */
function lastLines(child: ChildProcessByStdio<Writable, Readable, Readable>): () => readonly string[] {
  const lines: string[] = [];
  let open = "";
  child.stderr.setEncoding("utf8");
  child.stderr.on("data", (text: string) => {
    const parts = (open + text).split("\n");
    open = parts.pop()!.slice(-MAX_LINE);
    lines.push(...parts.map((line) => line.trim().slice(0, MAX_LINE)).filter((line) => line !== ""));
    lines.splice(0, lines.length - KEPT_LINES);
  });
  return () => (open.trim() === "" ? lines : [...lines, open.trim()]);
}

function errorCode(error: NodeJS.ErrnoException): string {
  return error.code === "ENOENT" ? "no such program" : (error.code ?? error.message);
}
