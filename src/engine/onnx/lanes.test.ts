import { expect, it } from "vitest";
import { laneChannel } from "./lanes.js";
import type { Answer, Channel, Request, SessionSettings } from "./protocol.js";

/** Lanes whose requests end when the test says so. */
function lanes(count: number) {
  const log: string[] = [];
  const ends: (() => void)[] = [];
  let opened = 0;
  const open = (): Channel => {
    const lane = opened++;
    return {
      call(request: Request): Promise<Answer> {
        log.push(`${request.op} ${"session" in request ? request.session : ""} in ${lane}`);
        return new Promise((resolve) => ends.push(() => resolve({ norm: lane })));
      },
      async close() {
        log.push(`close ${lane}`);
      },
    };
  };
  const finish = async () => {
    for (const end of ends.splice(0)) end();
    await new Promise((resolve) => setTimeout(resolve));
  };
  return { channel: laneChannel(open, count), log, finish };
}

const settings = (apart: boolean): SessionSettings => ({ threads: 1, lean: false, device: "cpu", apart });
const create = (session: number, apart: boolean): Request => ({
  op: "create",
  session,
  model: new Uint8Array(),
  settings: settings(apart),
});
const run = (session: number, more: object = {}): Request => ({
  op: "run",
  session,
  feeds: {},
  outputs: [],
  keep: {},
  ...more,
});

it("sends runs of a session that stands apart to the idlest lane, which makes the session first", async () => {
  const { channel, log, finish } = lanes(2);
  channel.call(create(1, true));
  await finish();
  const all = [1, 2, 3].map(() => channel.call(run(1)));
  expect(log).toEqual(["create 1 in 0", "run 1 in 0", "create 1 in 1", "run 1 in 1", "run 1 in 0"]);
  await finish();
  expect((await Promise.all(all)).map(({ norm }) => norm)).toEqual([0, 1, 0]);
  channel.call(run(1));
  expect(log.at(-1)).toBe("run 1 in 0");
});

it("opens no second lane while the first is idle", async () => {
  const { channel, log, finish } = lanes(2);
  channel.call(create(1, true));
  await finish();
  for (let i = 0; i < 3; i++) {
    channel.call(run(1));
    await finish();
  }
  expect(log.filter((line) => line.endsWith("1 in 1"))).toEqual([]);
});

it("keeps to the first lane what is not apart, and what is resident", async () => {
  const { channel, log, finish } = lanes(2);
  channel.call(create(1, true));
  channel.call(create(2, false));
  await finish();
  const runs: Request[] = [
    run(2),
    run(2),
    run(1, { keep: { y: "kept" } }),
    run(1, { feeds: { x: { resident: "kept" } } }),
    { op: "drop", names: ["kept"] },
  ];
  for (const request of runs) channel.call(request);
  expect(log.slice(2).every((line) => line.endsWith("in 0"))).toBe(true);
});

it("releases a session wherever it was made, and closes every lane", async () => {
  const { channel, log, finish } = lanes(2);
  channel.call(create(1, true));
  channel.call(run(1));
  channel.call(run(1));
  await finish();
  channel.call({ op: "release", session: 1 });
  await finish();
  await channel.close();
  expect(log.slice(-4)).toEqual(["release 1 in 0", "release 1 in 1", "close 0", "close 1"]);
});
