import { describe, expect, it } from "vitest";
import { chooseTrial, type LayerTrial, layersToTry } from "./layer-sweep.js";

const trial = (layer: number, rate: number, more: Partial<LayerTrial> = {}): LayerTrial => ({
  layer,
  elicits: true,
  loss: { initial: 2, final: 1 },
  norm: 1,
  relativeNorm: 0.1,
  steps: 40,
  rate: { rate, total: 100 },
  ...more,
});

describe("the sweep over layers", () => {
  it("tries an eighth to three quarters of the depth, at most six layers, each once", () => {
    expect(layersToTry(32)).toEqual([3, 7, 11, 15, 19, 23]);
    expect(layersToTry(6)).toEqual([0, 1, 2, 3]);
    expect(layersToTry(2)).toEqual([0]);
    expect(layersToTry(1)).toEqual([0]);
  });

  it("keeps the deepest layer within a standard error of the best", () => {
    // The best rate is 0.8 of 100: standard error 0.04.
    expect(chooseTrial([trial(0, 0.7), trial(1, 0.8), trial(2, 0.77), trial(3, 0.75)]).layer).toBe(2);
  });

  it("passes over layers that do not elicit, unless none does", () => {
    expect(chooseTrial([trial(1, 0.5), trial(2, 0.9, { elicits: false })]).layer).toBe(1);
    const none = [trial(1, 0, { elicits: false }), trial(2, 0, { elicits: false, loss: { initial: 2, final: 0.9 } })];
    expect(chooseTrial(none).layer).toBe(2);
  });
});
