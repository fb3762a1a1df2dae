/** Peak resident anonymous memory of this process: what the program itself took, without mapped weight files. */
import { readFileSync } from "node:fs";

/** Between samples; allocations of a computation stay for at least a step, which takes longer than this on any model that matters. */
const SAMPLE_MS = 50;

/** Samples until `stop` is called, which returns the largest value seen, in bytes. */
export function watchMemory(): { stop(): number } {
  let peak = anonymousBytes();
  const sample = () => {
    peak = Math.max(peak, anonymousBytes());
  };
  const timer = setInterval(sample, SAMPLE_MS).unref();
  return {
    stop() {
      clearInterval(timer);
      sample();
      return peak;
    },
  };
}

/** RssAnon of Linux; elsewhere the whole resident set, which is larger. */
function anonymousBytes(): number {
  try {
    const kibibytes = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    if (kibibytes !== undefined) return Number(kibibytes) * 1024;
  } catch {
    // not Linux
  }
  return process.memoryUsage.rss();
}
