/** Keeps the thread that computes busy: while it works on one batch, the next one is made ready and queued. */

/**
 * Starts `work` on each item in order, the next one while one is under way, and hands each result to `use` in order. `use`
 * returning false ends it: what was started is awaited and dropped. The first error ends it too, and is thrown.
 */
export async function twoAtOnce<Item, Made>(
  items: readonly Item[],
  work: (item: Item) => Promise<Made>,
  use: (made: Made, item: Item) => unknown,
): Promise<void> {
  const start = async (i: number) => work(items[i]!);
  let current: Promise<Made> | undefined = items.length > 0 ? start(0) : undefined;
  for (let i = 0; current; i++) {
    const next: Promise<Made> | undefined = i + 1 < items.length ? start(i + 1) : undefined;
    next?.catch(() => {}); // thrown when its turn comes, or an earlier one has failed
    try {
      const made = await current;
      if ((await use(made, items[i]!)) === false) {
        await next?.catch(() => {});
        return;
      }
    } catch (error) {
      await next?.catch(() => {});
      throw error;
    }
    current = next;
  }
}
