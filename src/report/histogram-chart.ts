/** A histogram as SVG: a bar a bin, its height the logarithm of the count, as in the figure of the post. */
import { type Html, html } from "./html.js";
import { number } from "./number.js";
import type { StoredHistogram } from "./stored-reading.js";

/** Drawing units; the picture scales with the page. */
const WIDTH = 360;
const HEIGHT = 60;
/** Space between two bars. */
const GAP = 1;
/** A single value must still be seen beside thousands. */
const LEAST_BAR = 4;

/** `what` names the values: "coordinates", "scores". */
export function histogramChart({ edges, counts, zeros }: StoredHistogram, what: string): Html {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const most = Math.log1p(Math.max(...counts));
  const width = WIDTH / counts.length;
  const bars = counts.map((count, i) => {
    if (count === 0) return null;
    const height = round(LEAST_BAR + ((HEIGHT - LEAST_BAR) * Math.log1p(count)) / most);
    const title = `${number(edges[i]!)} to ${number(edges[i + 1]!)}: ${count}`;
    return html`<rect x="${round(i * width)}" y="${round(HEIGHT - height)}" width="${round(width - GAP)}" height="${height}"><title>${title}</title></rect>`;
  });
  const label = `${what}: ${zeros} of ${total} are exactly 0`;
  return html`<figure class="histogram"><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}" preserveAspectRatio="none">${bars}</svg>
    <figcaption class="small"><span>${number(edges[0]!)}</span><span>${what} of ${total} latents, log count; ${zeros} are exactly 0</span><span>${number(edges.at(-1)!)}</span></figcaption></figure>`;
}

function round(value: number): number {
  return Math.round(100 * value) / 100;
}
