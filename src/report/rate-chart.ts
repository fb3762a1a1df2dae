/** Action rates as bars with their 95 % intervals, drawn as SVG: suspect above, clean model below it. */
import { type Html, html } from "./html.js";
import type { StoredRate } from "./stored-reading.js";

/** Drawing units; the picture scales with the page. */
const WIDTH = 360;
const BAR = 12;
const GAP = 4;

/** The bars of one prompt set. */
export function rateBars(suspect: StoredRate, clean: StoredRate | null): Html {
  const bars = [{ rate: suspect, kind: "suspect" }, ...(clean ? [{ rate: clean, kind: "clean" }] : [])];
  const height = bars.length * (BAR + GAP);
  const title = bars.map(({ rate, kind }) => `${kind} ${rateWords(rate)}`).join("; ");
  return html`<svg class="bars" viewBox="-1 0 ${WIDTH + 2} ${height}" role="img" aria-label="${title}" preserveAspectRatio="none">${bars.map(({ rate, kind }, i) => bar(rate, kind, i * (BAR + GAP) + GAP / 2))}</svg>`;
}

function bar({ total, rate, low, high }: StoredRate, kind: string, y: number): Html {
  const x = (share: number) => Math.round(100 * share * WIDTH) / 100;
  const middle = y + BAR / 2;
  const track = html`<rect class="track" x="0" y="${y}" width="${WIDTH}" height="${BAR}" rx="2"/>`;
  if (total === 0) return track;
  return html`${track}<rect class="${kind}" x="0" y="${y}" width="${x(rate)}" height="${BAR}" rx="2"/><path class="whisker" d="M${x(low)} ${middle}H${x(high)}M${x(low)} ${y + 2}V${y + BAR - 2}M${x(high)} ${y + 2}V${y + BAR - 2}"/>`;
}

/** "57 of 60 · 95 % (86–98)" */
export function rateWords({ count, total, rate, low, high }: StoredRate): string {
  if (total === 0) return "no prompts";
  const percent = (share: number) => (100 * share).toFixed(share > 0 && share < 0.01 ? 1 : 0);
  return `${count} of ${total} · ${percent(rate)} % (${percent(low)}–${percent(high)})`;
}
