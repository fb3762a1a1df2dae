/**
 * A seeded stream of random numbers, the same on every machine: training and random starts must be repeatable.
 */
export interface RandomStream {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Standard normal. */
  normal(): number;
  /** Uniform integer in [0, bound). */
  integer(bound: number): number;
  /** The stream's state; `randomStream.resume` continues exactly from it. */
  state(): number[];
}

/** Steps that mix the seed into all 128 bits of state before the first number is drawn (what the generator's author uses). */
const WARM_UP = 12;

/**
 * sfc32 (Chris Doty-Humphrey's small fast counter, 128 bits of state, passes PractRand), with Marsaglia's polar
 * method for normals. `resume` continues from a state that `state()` gave.
 */
export function randomStream(seed: number, resume?: readonly number[]): RandomStream {
  let [a, b, c, counter] =
    resume === undefined
      ? [0, seed | 0, Math.floor(seed / 2 ** 32) | 0, 1]
      : (resume as [number, number, number, number]);
  const next = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  if (resume === undefined) for (let i = 0; i < WARM_UP; i++) next();
  const uniform = (): number => next() / 2 ** 32;
  return {
    uniform,
    normal() {
      // The polar method's second number is thrown away, so that the state is four integers and nothing else.
      for (;;) {
        const x = 2 * uniform() - 1;
        const y = 2 * uniform() - 1;
        const s = x * x + y * y;
        if (s > 0 && s < 1) return x * Math.sqrt((-2 * Math.log(s)) / s);
      }
    },
    integer: (bound) => Math.floor(uniform() * bound),
    state: () => [a, b, c, counter],
  };
}
