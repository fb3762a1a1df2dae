/** Readings of vectors on SAEs whose answer is known on paper. */
import { describe, expect, it } from "vitest";
import { type Control, randomControl } from "./controls.js";
import type { FoundVector } from "./method.js";
import { saeAttribution } from "./sae-attribution.js";
import { supervisedMelbo } from "./supervised-melbo.js";
import { toySae } from "./toy.testing.js";
import { readVectors, typicalOfScores } from "./vector-reading.js";

const DECODER = [
  [1, 0, 0],
  [0, 10, 0],
  [0.6, 0.8, 0],
  [0, 0, 1],
];
const ENCODER = [
  [1, 0, 0],
  [0, 1, 0],
  [1, 1, 0],
  [0, 0, -1],
];
const sae = toySae(DECODER, ENCODER);
const sizes = { contexts: 0, tokens: 0 };

function found(vector: number[], scores: number[], z: FoundVector["z"] = null): FoundVector {
  return {
    index: 0,
    vector: Float32Array.from(vector),
    z,
    norm: Math.hypot(...vector),
    loss: { initial: 1, final: 0 },
    steps: 1,
    lambda: null,
    elicits: null,
    log: [],
    scores: Float32Array.from(scores),
  };
}
const control = (name: string, ...vectors: [direction: number[], scores: number[] | null][]): Control => ({
  name,
  what: name,
  vectors: vectors.map(([direction, scores]) => ({
    direction: Float32Array.from(direction),
    scores: scores && Float32Array.from(scores),
  })),
});

describe("a residual vector", () => {
  const theta = found([3, 4, 0], [3, 40, 5, 0]); // read by decoder rows: a long row scores most
  const read = async (controls: Control[] = [], gradients = false) =>
    (await readVectors({ sae, vectors: [theta], gradients, controls, top: 2, sizes }))[0]!;

  it("is listed by score and by both cosines, and every listed latent is described", async () => {
    const { orders, latents } = await read();
    expect(orders).toEqual({ score: [1, 2], timesTypical: [], decoderCosine: [2, 1], encoderCosine: [2, 1] });
    expect([...latents.keys()].sort()).toEqual([1, 2]);
    expect(latents.get(2)!.decoderCosine).toBeCloseTo(1, 6); // the row is θ/5
    expect(latents.get(1)!.decoderCosine).toBeCloseTo(0.8, 6);
    expect(latents.get(2)!.encoderCosine).toBeCloseTo(7 / (5 * Math.SQRT2), 6);
  });

  it("says how much the listed latents account for, and shows its scores as a histogram", async () => {
    const { explained, histogram } = await read();
    // rows 1 and 2 span the plane that θ lies in; two of three dimensions
    expect(explained.share).toBeCloseTo(1, 6);
    expect(explained).toMatchObject({ rank: 2, byChance: 2 / 3 });
    expect(histogram).toMatchObject({ of: "scores", zeros: 1 });
  });

  it("is worth as much by scores of rows of norm 1 as by scores of rows as stored", async () => {
    const gradient = Float32Array.of(-3, -4, 0);
    const typical = Float32Array.of(1, 2, 1, 1);
    const worth = async (unitNorm: boolean) => {
      const scores = await saeAttribution.scoreDirections!(sae, gradient, { unitNorm });
      const times = await typicalOfScores(sae, typical, unitNorm);
      return Array.from(scores, (score, j) => score * times[j]!);
    };
    const [asStored, ofNorm1] = [await worth(false), await worth(true)];
    expect(asStored.slice(0, 3)).toEqual([3, 80, 5]);
    ofNorm1.forEach((value, j) => {
      expect(value).toBeCloseTo(asStored[j]!, 4);
    });
  });

  it("is worth what its usual activation adds, where a unit of it adds more or less than a row", async () => {
    const [typical, lengths] = [Float32Array.of(1, 2, 1, 1), Float32Array.of(1, 0.5, 4, 0)];
    expect([...(await typicalOfScores(sae, typical, false, lengths))]).toEqual([1, 1, 4, 0]);
    expect([...(await typicalOfScores(sae, typical, true, lengths))].slice(0, 2)).toEqual([1, 10]);
  });

  it("is turned round where it is a gradient", async () => {
    const { orders } = await read([], true);
    expect(orders.decoderCosine).toEqual([3, 0]); // 0 and −0.6; the others point away still more
  });

  it("stands beside each control: the best of the control's vectors, its rank, and the cosine", async () => {
    const { latents } = await read([
      control(
        "clean",
        [
          [0, 0, 1],
          [0, 2, 1, 9],
        ],
        [
          [0, 1, 0],
          [5, 1, 4, 9],
        ],
      ),
      control("random", [[1, 0, 0], null]),
    ]);
    expect(latents.get(1)!.controls.clean).toMatchObject({ score: 2, rank: 2, decoderCosine: 1 });
    expect(latents.get(2)!.controls.clean).toMatchObject({ score: 4, rank: 3 });
    expect(latents.get(2)!.controls.random).toMatchObject({ score: null, rank: null });
    expect(latents.get(2)!.controls.random!.decoderCosine).toBeCloseTo(0.6, 6);
  });
});

it("a sparse vector lists its own latents only, and times typical is the raw activation", async () => {
  const z = { ids: Int32Array.of(0, 3), values: Float32Array.of(6, -8), inUnits: Float32Array.of(2, -1) };
  const [reading] = await readVectors({
    sae,
    vectors: [found([6, 0, -8], [2, 0, 0, 1], z)],
    gradients: false,
    controls: [
      control("clean", [
        [0, 1, 0],
        [0, 1, 0, 0],
      ]),
    ],
    top: 4,
    sizes,
  });
  const { orders, latents, histogram, explained } = reading!;
  expect(orders.score).toEqual([0, 3]);
  expect(orders.timesTypical).toEqual([3, 0]);
  expect(latents.get(3)).toMatchObject({ score: 1, coordinate: -8, timesTypical: 8 });
  // An exact zero of the control's sparse search has no rank.
  expect(latents.get(0)!.controls.clean).toEqual({ score: 0, rank: null, decoderCosine: 0 });
  expect(histogram).toMatchObject({ of: "coordinates", zeros: 2 });
  expect(histogram.edges[0]).toBe(-1);
  expect(explained.share).toBeCloseTo(1, 6);
});

describe("the random control", () => {
  it("has the vectors' norms, is scored as the method scores, and follows the seed", async () => {
    const vectors = [{ norm: 2 }, { norm: 5 }];
    const { vectors: drawn } = await randomControl(saeAttribution, sae, vectors, {}, 1, true);
    expect(drawn.map(({ direction }) => Math.hypot(...direction))).toEqual([
      expect.closeTo(2, 5),
      expect.closeTo(5, 5),
    ]);
    const [first] = drawn;
    const expected = DECODER.map((row) => row.reduce((sum, x, i) => sum + x * first!.direction[i]!, 0));
    expect([...first!.scores!].map((x) => x.toFixed(5))).toEqual(expected.map((x) => Math.fround(x).toFixed(5)));
    expect(await randomControl(saeAttribution, sae, vectors, {}, 1, true)).toEqual(
      await randomControl(saeAttribution, sae, vectors, {}, 1, true),
    );
    const other = await randomControl(saeAttribution, sae, vectors, {}, 2, true);
    expect(other.vectors[0]!.direction).not.toEqual(first!.direction);
  });

  it("is read by the rows that the method was told to read by", async () => {
    const score = async (readBy: "encoder" | "decoder") =>
      (await randomControl(supervisedMelbo, sae, [{ norm: 1 }], { readBy }, 1)).vectors[0]!;
    const [encoder, decoder] = [await score("encoder"), await score("decoder")];
    expect(encoder.scores![1]).toBeCloseTo(encoder.direction[1]!, 5);
    expect(decoder.scores![1]).toBeCloseTo(10 * decoder.direction[1]!, 4);
  });

  it("has no scores where a score is a coordinate", async () => {
    const { vectors } = await randomControl({ name: "sparse" }, sae, [{ norm: 1 }], {}, 1);
    expect(vectors[0]!.scores).toBeNull();
  });
});
