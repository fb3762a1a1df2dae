/** What `find` prints: its vectors with their latents, as JSON and for people. */
import type { FoundVector, MethodResult } from "../../methods/method.js";
import type { VectorReading } from "../../methods/vector-reading.js";
import { shownScore } from "../../report/find-page.js";
import { type LatentJson, type ReadingJson, readingJson } from "../latents/latent-json.js";
import { cardText, effectText, histogramText } from "../latents/latent-text.js";
import { type Used, usedText } from "../model/used.js";
import { bytes, duration, oneLine, rateText, table } from "../terminal/text.js";
import { layersText, type TriedLayer } from "./find-sweep.js";
import type { TriedVector } from "./find-trial.js";

/** Latents of a vector whose cards are shown on a terminal; JSON has all. */
const SHOWN_CARDS = 3;
/** Latents named for each of the other orders. */
const SHOWN_IN_ORDER = 6;

export interface VectorJson {
  readonly index: number;
  readonly norm: number;
  readonly loss: FoundVector["loss"];
  readonly steps: number;
  readonly lambda: number | null;
  readonly elicits: boolean | null;
  /** By score; empty without an SAE. */
  readonly latents: readonly LatentJson[];
  /** Null without an SAE. */
  readonly reading: ReadingJson | null;
  readonly steered: TriedVector;
}

export interface FindReport {
  readonly method: string;
  readonly layer: number;
  /** Every layer that was tried, where none was given. */
  readonly layers?: readonly TriedLayer[];
  readonly hyperparameters: MethodResult["hyperparameters"];
  readonly timing: {
    readonly setupSeconds: number;
    readonly secondsPerStep: number;
    readonly evaluations: number;
    readonly peakMemoryBytes: number;
  };
  readonly vectors: readonly VectorJson[];
  readonly controls: readonly { readonly name: string; readonly what: string }[];
  readonly score: string;
  readonly used: Used;
}

export function vectorJson(
  { index, norm, loss, steps, lambda, elicits }: FoundVector,
  steered: VectorJson["steered"],
  reading: VectorReading | undefined,
  width: number,
): VectorJson {
  const read = reading ? readingJson(reading, width) : { latents: [], reading: null };
  return { index, norm, loss, steps, lambda, elicits, ...read, steered };
}

export function findText(report: FindReport): string {
  const { method, layer, layers, hyperparameters, timing, vectors, controls, score, used } = report;
  const settings = Object.entries(hyperparameters).map(([key, value]) => `${key} ${value}`);
  const { setupSeconds, secondsPerStep, peakMemoryBytes } = timing;
  const legend = [
    `score: ${score}`,
    ...controls.map(({ name, what }) => `${name}: ${what}`),
    ...(used.corpus === null ? ["no --corpus was given: contexts, tokens and firing rates are missing"] : []),
  ];
  return [
    `${method} at layer ${layer}${settings.length > 0 ? `: ${settings.join(", ")}` : ""}`,
    ...(layers ? [layersText(layers)] : []),
    ...vectors.map((vector) => vectorText(vector, controls)),
    ...(vectors.some(({ reading }) => reading !== null) ? [legend.join("\n")] : []),
    `set-up ${duration(setupSeconds)}, ${secondsPerStep.toPrecision(3)} s a step, peak memory ${bytes(peakMemoryBytes)}`,
    usedText(used),
  ].join("\n\n");
}

function vectorText(vector: VectorJson, controls: FindReport["controls"]): string {
  const { index, norm, loss, steps, lambda, elicits, latents, reading, steered } = vector;
  const lines = [
    `vector ${index}: norm ${norm.toPrecision(4)}, loss ${loss.initial.toFixed(4)}${steps === 0 ? ", one gradient and no step" : ` → ${loss.final.toFixed(4)} in ${steps} steps`}${lambda === null ? "" : `, λ ${lambda.toPrecision(3)}`}${elicits === false ? "; it does not elicit the action on half of the prompts" : ""}`,
  ];
  if (steered.actionRate)
    lines.push(
      `  said on ${rateText(steered.actionRate)} of ${steered.heldOut ? "held-out" : "the same"} prompts (added ×${Number(steered.scale.toPrecision(4))})`,
    );
  if (reading !== null) {
    lines.push(indent(readingText(reading)), "");
    if (latents.length > 0) lines.push(indent(latentTable(latents, controls)), "", indent(ordersText(vector)), "");
    for (const latent of latents.slice(0, SHOWN_CARDS)) lines.push(indent(cardText(latent)));
    lines.push("");
  }
  for (const sample of steered.samples)
    lines.push(
      `  ${oneLine(sample.prompt, 80)}\n    unsteered → ${oneLine(sample.unsteered)}\n    steered   → ${oneLine(sample.steered)}`,
    );
  return lines.join("\n").trimEnd();
}

function readingText({ explained, histogram, logitEffect }: ReadingJson): string {
  const percent = (share: number) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
  const { latents, share, rank, byChance } = explained;
  const lines = [
    latents === 0
      ? "no latent is listed: the vector is zero"
      : `the ${latents} latents below account for ${percent(share)} of ‖θ‖² by least squares (${rank} random directions: ${percent(byChance)})`,
    histogramText(histogram),
  ];
  if (logitEffect) lines.push(`through the logit lens ${effectText(logitEffect)}`);
  return lines.join("\n");
}

function latentTable(latents: readonly LatentJson[], controls: FindReport["controls"]): string {
  const number = (value: number | null | undefined) => (value == null ? "–" : String(Number(value.toPrecision(3))));
  const head = ["latent", "score", ...controls.map(({ name }) => name), "cos dec", "cos enc", "fires", "label"];
  const rows = latents.map((latent) => [
    String(latent.id),
    number(shownScore(latent.score, latent.coordinate)),
    ...controls.map(({ name }) => {
      const control = latent.controls[name];
      return control?.rank == null ? number(control?.score) : `${number(control.score)} (#${control.rank})`;
    }),
    latent.decoderCosine.toFixed(2),
    latent.encoderCosine.toFixed(2),
    latent.firingRate ? `${(100 * latent.firingRate.rate).toFixed(1)} %` : "–",
    oneLine(`${latent.label ?? ""}${latent.dead ? " (dead)" : ""}`, 60),
  ]);
  return table(
    head,
    rows,
    head.map((_, i) => i).filter((i) => i < head.length - 1),
  );
}

/** The orders beside that by score, a line each. */
function ordersText({ latents, reading }: VectorJson): string {
  const known = new Map([...latents, ...(reading?.others ?? [])].map((latent) => [latent.id, latent]));
  const names = {
    timesTypical: "by score × typical activation",
    decoderCosine: "by cosine with decoder rows",
    encoderCosine: "by cosine with encoder rows",
  };
  return Object.entries(names)
    .flatMap(([order, name]) => {
      const first = reading?.orders[order as keyof typeof names].slice(0, SHOWN_IN_ORDER) ?? [];
      if (first.length === 0) return [];
      const named = first.map(({ id }) => {
        const label = known.get(id)?.label;
        return label ? `${id} (${oneLine(label, 24)})` : String(id);
      });
      return [`${name}: ${named.join(", ")}`];
    })
    .join("\n");
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, "  ");
}
