/** Comma-separated values as RFC 4180 has them: fields in quotes may hold commas, line ends and doubled quotes. */
import { InputError } from "./input-error.js";

/** The rows of `text`; blank lines are skipped. InputError, with `file` and line, for quotes that do not fit. */
export function parseCsv(text: string, file: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let line = 1;
  let at = 0;
  while (at < text.length) {
    let field = "";
    if (text[at] === '"') {
      const opened = line;
      for (at += 1; ; at += 2) {
        const close = text.indexOf('"', at);
        if (close < 0) throw new InputError(`${file}:${opened}: a quote is opened and never closed`);
        const part = text.slice(at, close);
        field += part;
        line += part.split("\n").length - 1;
        at = close;
        if (text[at + 1] !== '"') break;
        field += '"';
      }
      at += 1;
      if (at < text.length && !/[,\r\n]/.test(text[at]!))
        throw new InputError(`${file}:${line}: text after a closing quote; double the quotes inside a field`);
    } else {
      const from = at;
      while (at < text.length && text[at] !== "," && text[at] !== "\r" && text[at] !== "\n") at++;
      field = text.slice(from, at);
    }
    row.push(field);
    if (text[at] === ",") {
      at += 1;
      if (at < text.length) continue;
      row.push("");
    } else if (text[at] === "\r" && text[at + 1] === "\n") at += 2;
    else at += 1;
    line += 1;
    if (row.length > 1 || row[0] !== "") rows.push(row);
    row = [];
  }
  return rows;
}
