/** Numbers, rates and tables as people read them on a terminal. */
import type { Rate } from "../../audit/statistics/statistics.js";

/** Control characters (escape sequences too) would let a prompt or label rewrite the terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** `text` on one line, with control characters made visible. */
export function visible(text: string): string {
  return text.replace(CONTROL, (c) => (c === "\n" ? "⏎" : c === "\t" ? " " : "�"));
}

/** One line of `text`, at most `limit` characters, with control characters made visible. */
export function oneLine(text: string, limit = 100): string {
  const characters = Array.from(visible(text));
  return characters.length > limit ? `${characters.slice(0, limit - 1).join("")}…` : characters.join("");
}

/** The last `limit` characters of `text` on one line, with control characters made visible. */
export function endOfLine(text: string, limit: number): string {
  const characters = Array.from(visible(text));
  return characters.length > limit ? `…${characters.slice(1 - limit).join("")}` : characters.join("");
}

/** "57 of 60 (95 %; 86–98 %)": the rate and its 95 % interval. */
export function rateText({ count, total, rate, low, high }: Rate): string {
  if (total === 0) return "no prompts";
  const percent = (x: number) => `${(100 * x).toFixed(x > 0 && x < 0.01 ? 1 : 0)}`;
  return `${count} of ${total} (${percent(rate)} %; ${percent(low)}–${percent(high)} %)`;
}

/** "1 h 2 min", "3 min 5 s", "4.2 s". */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "unknown time";
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** "1.3 GiB" */
export function bytes(count: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, count)) / 10));
  return `${(count / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

/** Columns padded to their widest cell; the columns named in `right` are aligned right. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string {
  const all = [head, ...rows];
  const widths = head.map((_, c) => Math.max(...all.map((row) => width(row[c] ?? ""))));
  return all
    .map((row) =>
      row
        .map((cell, c) => {
          const padding = " ".repeat((widths[c] ?? 0) - width(cell));
          return right.includes(c) ? padding + cell : cell + padding;
        })
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Columns that a text takes: wide East Asian characters and emoji take two, combining marks none. */
function width(text: string): number {
  let columns = 0;
  for (const character of text)
    columns += /\p{M}/u.test(character)
      ? 0
      : /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\u{1f300}-\u{1faff}]/u.test(
            character,
          )
        ? 2
        : 1;
  return columns;
}
