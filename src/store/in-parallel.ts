/**
 * Runs `work` over the items, at most `atOnce` under way. The first failure ends the others through the signal that they are
 * given, so that none is asked in vain, and is what the call rejects with; or the caller's signal's reason, once that is aborted.
 */
export async function inParallel<T>(
  items: readonly T[],
  atOnce: number,
  signal: AbortSignal | undefined,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const either = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
  const queue = items.values(); // shared: each worker takes the next item
  const workers = Array.from({ length: Math.min(atOnce, items.length) }, async () => {
    try {
      for (const item of queue) await work(item, either);
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  });
  const ends = await Promise.allSettled(workers);
  signal?.throwIfAborted();
  if (ends.some(({ status }) => status === "rejected")) throw failed.signal.reason;
}
