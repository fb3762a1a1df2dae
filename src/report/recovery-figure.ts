/**
 * Recovery rates as a picture of its own (SVG): for each method a bar a corpus, with 95 % intervals, and
 * behind it a pale one for the answers that name the trigger. Light and dark follow the reader's setting, as in reports.
 */
import { EITHER, type TallyLine } from "../organisms/recovery/tally.js";
import { type Html, html } from "./html.js";

/** Pixels. */
const LABEL_WIDTH = 285;
const PLOT_WIDTH = 360;
const COUNT_WIDTH = 150;
const KEY_WIDTH = 140;
const BAR = 11;
const BAR_GAP = 3;
const GROUP_GAP = 12;
const HEAD = 46;
const FOOT = 30;
const TICKS = [0, 0.25, 0.5, 0.75, 1];

/** Colours of a corpus, in the order in which corpora appear. */
const CLASSES = ["first", "second"] as const;

const STYLE = `text{font:13px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:#1b2230}.soft{fill:#5b6577;font-size:12px}.track{fill:#edf0f4}.first{fill:#b4361f}.second{fill:#2c6e9f}.pale{opacity:.35}.whisker{stroke:#1b2230;stroke-width:1.3;fill:none}.tick{stroke:#dfe3ea}.page{fill:#fff}@media (prefers-color-scheme:dark){text{fill:#e6eaf1}.soft{fill:#9aa5b8}.track{fill:#262e3a}.first{fill:#ff7a5c}.second{fill:#6ab0e0}.whisker{stroke:#e6eaf1}.tick{stroke:#2c3542}.page{fill:#1a2029}}`;

/** The figure; one group of bars for each method, in the order of `lines`. Of several readings the line of any of them. */
export function recoveryFigure(all: readonly TallyLine[]): string {
  const several = new Set(all.flatMap(({ method, reading }) => (reading === EITHER ? [method] : [])));
  const lines = all.filter(({ method, reading }) => reading === EITHER || !several.has(method));
  const corpora = [...new Set(lines.map(({ corpus }) => corpus))];
  const names = [...new Set(lines.map(nameOf))];
  const groupsOf = names.map((name) => lines.filter((line) => nameOf(line) === name));
  const tops: number[] = [];
  let end = HEAD;
  for (const some of groupsOf) {
    tops.push(end);
    end += some.length * (BAR + BAR_GAP) + GROUP_GAP;
  }
  const height = end + FOOT;
  const width = LABEL_WIDTH + PLOT_WIDTH + COUNT_WIDTH;
  const bottom = height - FOOT;
  const ticks = TICKS.map(
    (share) =>
      html`<path class="tick" d="M${x(share)} ${HEAD - 6}V${bottom}"/><text class="soft" x="${x(share)}" y="${bottom + 18}" text-anchor="middle">${100 * share} %</text>`,
  );
  const key = corpora.map(
    (corpus, c) =>
      html`<rect class="${CLASSES[c] ?? "second"}" x="${LABEL_WIDTH + c * KEY_WIDTH}" y="16" width="11" height="11" rx="2"/><text class="soft" x="${LABEL_WIDTH + 17 + c * KEY_WIDTH}" y="26">${corpus} corpus</text>`,
  );
  const note = html`<text class="soft" x="${LABEL_WIDTH + corpora.length * KEY_WIDTH}" y="26">pale: trigger named</text>`;
  const groups = names.map((name, i) => {
    const top = tops[i]!;
    const some = groupsOf[i]!;
    const bars = some.map((line, at) =>
      bar(line, CLASSES[corpora.indexOf(line.corpus)] ?? "second", top + at * (BAR + BAR_GAP)),
    );
    const middle = top + (some.length * (BAR + BAR_GAP)) / 2 + 3;
    return html`<text x="${LABEL_WIDTH - 12}" y="${middle}" text-anchor="end">${name}</text>${bars}`;
  });
  const title = "Triggers recovered, by method";
  return html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${title}"><style>${raw(STYLE)}</style><rect class="page" width="${width}" height="${height}"/><text x="12" y="26">${title}</text>${key}${note}${ticks}${groups}</svg>`
    .text;
}

/** A style sheet has no text of strangers in it. */
function raw(text: string): Html {
  return html(Object.assign([text], { raw: [text] }));
}

function nameOf({ method, reading }: TallyLine): string {
  return reading === EITHER ? `${method}, either reading` : method;
}

function x(share: number): number {
  return Math.round(10 * (LABEL_WIDTH + share * PLOT_WIDTH)) / 10;
}

function bar({ all: { count, total, rate, low, high }, named }: TallyLine, kind: string, y: number): Html {
  const middle = y + BAR / 2;
  const length = (share: number) => Math.round(10 * share * PLOT_WIDTH) / 10;
  const more = named.count > count ? `, named ${named.count}` : "";
  return html`<rect class="track" x="${LABEL_WIDTH}" y="${y}" width="${PLOT_WIDTH}" height="${BAR}" rx="2"/><rect class="${kind} pale" x="${LABEL_WIDTH}" y="${y}" width="${length(named.rate)}" height="${BAR}" rx="2"/><rect class="${kind}" x="${LABEL_WIDTH}" y="${y}" width="${length(rate)}" height="${BAR}" rx="2"/><path class="whisker" d="M${x(low)} ${middle}H${x(high)}M${x(low)} ${y + 2}V${y + BAR - 2}M${x(high)} ${y + 2}V${y + BAR - 2}"/><text class="soft" x="${LABEL_WIDTH + PLOT_WIDTH + 10}" y="${y + BAR - 1}">${count} of ${total}${more}</text>`;
}
