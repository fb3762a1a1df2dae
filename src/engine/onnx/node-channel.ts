/** Starts the worker thread under Node and speaks its protocol. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { Answer, Channel, Request } from "./protocol.js";

/** The worker's compiled file; tests run from the sources beside which only the compiled one in dist/ can start a thread. */
function workerFile(): URL {
  const beside = new URL("./node-worker.js", import.meta.url);
  return existsSync(fileURLToPath(beside))
    ? beside
    : new URL("../../../dist/engine/onnx/node-worker.js", import.meta.url);
}

export function openNodeChannel(): Channel {
  const worker = new Worker(workerFile());
  const waiting = new Map<number, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>();
  let next = 0;
  let ended: Error | null = null;
  let onIdle = () => {};
  let closing: Promise<void> | undefined;
  const fail = (error: Error) => {
    ended ??= error;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
    onIdle();
  };
  const settle = (id: number) => {
    const caller = waiting.get(id);
    waiting.delete(id);
    if (waiting.size === 0) {
      worker.unref();
      onIdle();
    }
    return caller;
  };
  worker.on("message", ({ id, answer, error }: { id: number; answer?: Answer; error?: string }) => {
    const caller = settle(id);
    if (error !== undefined) caller?.reject(new Error(error));
    else caller?.resolve(answer ?? {});
  });
  worker.on("error", fail);
  worker.on("exit", () => fail(new Error("the computing thread ended")));
  worker.unref(); // an idle engine never keeps the process alive
  const end = async () => {
    ended ??= new Error("the engine is closed");
    if (waiting.size > 0)
      await new Promise<void>((resolve) => {
        onIdle = resolve;
      });
    await worker.terminate();
  };
  return {
    call(request: Request): Promise<Answer> {
      if (ended) return Promise.reject(ended);
      const id = next++;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        worker.ref();
        try {
          worker.postMessage({ id, request });
        } catch (error) {
          settle(id);
          throw error;
        }
      });
    },
    /** Waits for what is under way: a thread that is ended while ONNX Runtime computes in it takes the whole process with it. */
    close() {
      closing ??= end();
      return closing;
    },
  };
}
