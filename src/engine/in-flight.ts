/** Keeps the threads that compute busy: while they work on some batches, the next one is made ready and queued. */

/**
 * Starts `work` on each item in order, `count` under way at most, and hands each result to `use` in order. `use` returning
 * false ends it: what was started is awaited and dropped. The first error ends it too, and is thrown.
 */
export async function inFlight<Item, Made>(
  items: readonly Item[],
  count: number,
  work: (item: Item) => Promise<Made>,
  use: (made: Made, item: Item) => unknown,
): Promise<void> {
  const started: Promise<Made>[] = [];
  let next = 0;
  const start = async (item: Item) => work(item);
  const fill = () => {
    while (next < items.length && started.length < count) {
      const made = start(items[next++]!);
      made.catch(() => {}); // thrown when its turn comes, or an earlier one has failed
      started.push(made);
    }
  };
  try {
    fill();
    for (const item of items) {
      const made = await started[0]!;
      if ((await use(made, item)) === false) return;
      started.shift();
      fill();
    }
  } finally {
    await Promise.allSettled(started);
  }
}
