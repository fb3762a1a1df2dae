/** An audit's stages and their progress on stderr. */
import type { AuditCalls } from "../../audit/ask/context.js";
import type { Io } from "./io.js";

/** `tick` is called at every sign of life. */
export function stageCalls(io: Io, first: string, tick: () => void = () => {}): AuditCalls {
  let report = io.progress(first);
  return {
    onStage: (stage) => {
      tick();
      report = io.progress(stage);
    },
    onProgress: (done, total) => {
      tick();
      report(done, total);
    },
    signal: io.signal,
  };
}
