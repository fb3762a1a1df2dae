/** The worker thread under Node: a SessionHost over onnxruntime-node. */
import { type MessagePort, parentPort } from "node:worker_threads";
import * as ort from "onnxruntime-node";
import { type OrtModule, SessionHost } from "./host.js";
import type { Answer, Request } from "./protocol.js";

const host = new SessionHost(ort as unknown as OrtModule);
const port = parentPort as MessagePort;
let last: Promise<unknown> = Promise.resolve();

port.on("message", ({ id, request }: { id: number; request: Request }) => {
  // One at a time and in order: requests refer to what earlier ones left resident.
  last = last
    .then(() => host.handle(request))
    .then(
      (answer) => port.postMessage({ id, answer }, request.op === "run" ? buffersOf(answer) : []),
      (error: unknown) => port.postMessage({ id, error: error instanceof Error ? error.message : String(error) }),
    );
});

/** What a run made is handed over and not copied; nothing here refers to it any more. */
function buffersOf({ tensors = {} }: Answer): ArrayBuffer[] {
  return [...new Set(Object.values(tensors).map(({ data }) => data.buffer as ArrayBuffer))];
}
