import { expect, it } from "vitest";
import { inFlight } from "./in-flight.js";

/** Work that ends when the test says so. */
function desk() {
  const log: string[] = [];
  const open = new Map<number, { done: (value: string) => void; fail: (error: Error) => void }>();
  const work = (item: number) => {
    log.push(`start ${item}`);
    return new Promise<string>((done, fail) => open.set(item, { done, fail }));
  };
  const settle = async (item: number, error?: Error) => {
    if (error) open.get(item)!.fail(error);
    else open.get(item)!.done(`made ${item}`);
    await new Promise((resolve) => setTimeout(resolve));
  };
  return { log, work, settle };
}

it("starts the next piece before one is done, never a third, and uses them in order", async () => {
  const { log, work, settle } = desk();
  const all = inFlight([1, 2, 3], 2, work, (made) => log.push(made));
  expect(log).toEqual(["start 1", "start 2"]);
  await settle(2);
  expect(log).toEqual(["start 1", "start 2"]);
  await settle(1);
  expect(log).toEqual(["start 1", "start 2", "made 1", "start 3", "made 2"]);
  await settle(3);
  await all;
  expect(log.at(-1)).toBe("made 3");
});

it("waits for what it started when `use` has seen enough", async () => {
  const { log, work, settle } = desk();
  let ended = false;
  const all = inFlight([1, 2, 3], 2, work, () => false).then(() => {
    ended = true;
  });
  await settle(1);
  expect(ended).toBe(false);
  await settle(2);
  await all;
  expect(log).toEqual(["start 1", "start 2"]);
});

it("throws the first error, after what was started beside it has ended", async () => {
  const { work, settle } = desk();
  const all = inFlight([1, 2, 3], 2, work, () => {});
  const thrown = expect(all).rejects.toThrow("broken");
  await settle(1, new Error("broken"));
  await settle(2, new Error("broken too"));
  await thrown;
});

it("throws what `work` throws before it returns a promise", async () => {
  const fails = () => {
    throw new Error("at once");
  };
  await expect(inFlight([1], 2, fails, () => {})).rejects.toThrow("at once");
  await inFlight([], 2, fails, () => {});
});
