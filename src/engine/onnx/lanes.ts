/**
 * Several computing threads as one channel. Two runs side by side, each on one core, finish sooner than one after the other on
 * both: small matrix products do not split well, and between two runs nothing computes.
 */
import type { Answer, Channel, Request } from "./protocol.js";

/**
 * A channel over `count` lanes, each opened by `open` when it is first needed. A session that says `apart` is made in every
 * lane that it runs in, and a run of it goes to the lane with the fewest requests; all else, and all that refers to
 * resident tensors, goes to the first lane in the order asked.
 */
export function laneChannel(open: () => Channel, count: number): Channel {
  const lanes: Lane[] = [{ channel: open(), waiting: 0, sessions: new Set() }];
  const apart = new Map<number, Request>();
  /** Counts at once, so that the next request sees a lane that this one has chosen. */
  const send = async (lane: Lane, ...requests: Request[]): Promise<Answer> => {
    lane.waiting += 1;
    try {
      const answers = await Promise.all(requests.map((request) => lane.channel.call(request)));
      return answers.at(-1)!;
    } finally {
      lane.waiting -= 1;
    }
  };

  /** The lane with the fewest requests, the earliest of those; a new one where all are busy. */
  const idlest = (): Lane => {
    const found = lanes.reduce((best, lane) => (lane.waiting < best.waiting ? lane : best));
    if (found.waiting === 0 || lanes.length === count) return found;
    const lane: Lane = { channel: open(), waiting: 0, sessions: new Set() };
    lanes.push(lane);
    return lane;
  };

  const first = lanes[0]!;
  return {
    lanes: count,
    async call(request) {
      if (request.op === "create" && request.settings.apart) {
        apart.set(request.session, request);
        first.sessions.add(request.session);
        return send(first, request);
      }
      if (request.op === "release" && apart.has(request.session)) {
        apart.delete(request.session);
        const holders = lanes.filter((lane) => lane.sessions.delete(request.session));
        await Promise.all(holders.map((lane) => send(lane, request)));
        return {};
      }
      if (request.op !== "run" || !apart.has(request.session) || refersToResidents(request))
        return send(first, request);
      const lane = idlest();
      if (lane.sessions.has(request.session)) return send(lane, request);
      lane.sessions.add(request.session);
      return send(lane, apart.get(request.session)!, request); // a lane answers in order: the session is there for the run
    },
    async close() {
      await Promise.all(lanes.map(({ channel }) => channel.close()));
    },
  };
}

interface Lane {
  readonly channel: Channel;
  /** Requests sent and not answered. */
  waiting: number;
  /** Sessions that are made here. */
  readonly sessions: Set<number>;
}

function refersToResidents({ feeds, keep }: Request & { op: "run" }): boolean {
  return Object.keys(keep).length > 0 || Object.values(feeds).some((feed) => "resident" in feed);
}
