/** The shell of every page: one file, no scripts, nothing from the network. */
import { type Html, html } from "./html.js";
import { STYLE } from "./style.js";

/** The page forbids itself every request and script, whatever a hostile label might smuggle in. */
export const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** The whole document; `refresh`: seconds after which a served one is asked for again. */
export function page(title: string, body: Html, refresh?: number): string {
  const head = html`<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
${refresh === undefined ? null : html`<meta http-equiv="refresh" content="${refresh}">`}
<title>${title}</title>`;
  return `<!doctype html>\n<html lang="en">\n<head>\n${head.text}\n<style>${STYLE}</style>\n</head>\n<body>\n${body.text}\n</body>\n</html>\n`;
}
