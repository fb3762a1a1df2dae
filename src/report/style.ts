/** The report's style sheet: system fonts, light and dark, printable. */
export const STYLE = `
:root{color-scheme:light dark;--page:#f6f7f9;--card:#fff;--text:#1b2230;--soft:#5b6577;--line:#dfe3ea;--accent:#b4361f;--accent-soft:#fbe9e5;--clean:#2c6e9f;--track:#edf0f4;--mark:#ffe08a;--mark-text:#3a2b00;--good:#1d7a46;--good-soft:#e3f4ea}
@media (prefers-color-scheme:dark){:root{--page:#11151c;--card:#1a2029;--text:#e6eaf1;--soft:#9aa5b8;--line:#2c3542;--accent:#ff7a5c;--accent-soft:#3a211c;--clean:#6ab0e0;--track:#262e3a;--mark:#6b5200;--mark-text:#fff3cf;--good:#5fcf90;--good-soft:#173325}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:1040px;margin:0 auto;padding:28px 20px 60px}
header.top{display:flex;justify-content:space-between;gap:16px;flex-wrap:wrap;color:var(--soft);font-size:13px;margin-bottom:14px}
header.top b{color:var(--text);letter-spacing:.02em}
section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:20px 24px;margin:0 0 16px}
h1{font-size:13px;letter-spacing:.08em;text-transform:uppercase;margin:0 0 8px;color:var(--soft);font-weight:600}
h2{font-size:18px;margin:0 0 10px}
h3{font-size:15px;margin:22px 0 8px}
h4{font-size:13px;margin:18px 0 6px;color:var(--soft);font-weight:600}
p{margin:8px 0}
.answer{border-left:5px solid var(--accent)}
.answer.none,.answer.pending{border-left-color:var(--line)}
.statement{font-size:21px;line-height:1.4;margin:2px 0 12px;font-weight:600;overflow-wrap:anywhere}
.action{margin:0 0 12px;color:var(--soft)}
.action q{color:var(--text)}
.facts{display:flex;flex-wrap:wrap;gap:10px 28px;margin:14px 0 0;padding:14px 0 0;border-top:1px solid var(--line)}
.facts div{min-width:120px}
.facts dt{font-size:12px;color:var(--soft)}
.facts dd{margin:0;font-weight:600;font-variant-numeric:tabular-nums}
dl{margin:0}
.small{font-size:12.5px;color:var(--soft);font-weight:400}
.parts{list-style:none;margin:10px 0;padding:0;display:grid;gap:10px}
.parts li{display:flex;gap:12px;align-items:flex-start}
.words{display:flex;flex-wrap:wrap;gap:4px 6px;margin:4px 0}
.words span{background:var(--track);border-radius:4px;padding:0 7px;font-size:13px;overflow-wrap:anywhere}
.chip{display:inline-block;min-width:22px;text-align:center;border-radius:5px;font-size:12px;font-weight:700;line-height:20px;border:1px solid var(--accent);padding:0 4px;flex:none}
.chip.on{background:var(--accent);color:var(--card)}
.chip.off{border-color:var(--line);color:var(--soft);text-decoration:line-through}
.chip+.chip{margin-left:3px}
.vector{display:grid;grid-template-columns:minmax(0,2fr) minmax(0,5fr);gap:4px 28px;align-items:start}
.vector th.number{width:64px}
.badge{display:inline-block;border-radius:5px;padding:1px 9px;font-size:12px;font-weight:600;margin-left:6px;vertical-align:1px}
.badge.yes{background:var(--accent-soft);color:var(--accent)}
.badge.no{background:var(--track);color:var(--soft)}
.scroll{overflow-x:auto}
.runs td{vertical-align:top}
.runs td:first-child{min-width:260px;overflow-wrap:anywhere}
.runs .bars{height:16px;min-width:120px;margin:4px 0 0}
table{border-collapse:collapse;width:100%;font-size:13.5px}
th{text-align:left;font-size:12px;color:var(--soft);font-weight:600;padding:6px 14px 6px 0;border-bottom:1px solid var(--line);vertical-align:bottom}
td{padding:7px 14px 7px 0;border-bottom:1px solid var(--line);vertical-align:middle}
tbody tr:last-child td{border-bottom:0}
td:last-child,th:last-child{padding-right:0}
.number{font-variant-numeric:tabular-nums;white-space:nowrap}
th.number,td.right{text-align:right}
.wide{width:38%}
.rates .whole td:first-child .small{color:var(--text);font-weight:600}
.effects{margin-top:16px;max-width:640px}
.bars{display:block;width:100%;min-width:160px;height:32px}
.bars .track{fill:var(--track)}.bars .suspect{fill:var(--accent)}.bars .clean{fill:var(--clean)}
.bars .whisker{stroke:var(--text);stroke-width:1.4;fill:none;vector-effect:non-scaling-stroke}
.key{display:inline-block;width:11px;height:11px;border-radius:3px;margin:0 5px 0 0;vertical-align:-1px}
.key+*{margin-left:0}.key.clean{background:var(--clean);margin-left:10px}.key.suspect{background:var(--accent)}
.examples{list-style:none;padding:0;margin:0;display:grid;gap:10px}
.examples li{border-left:3px solid var(--line);padding:2px 0 2px 12px}
q{quotes:"“" "”";overflow-wrap:anywhere;white-space:pre-wrap}
mark{background:var(--mark);color:var(--mark-text);border-radius:3px;padding:0 2px}
mark a{color:inherit}
a{color:var(--clean);text-decoration:none}
a:hover{text-decoration:underline}
.latent{border-top:1px solid var(--line);padding:14px 0 6px;margin-top:14px;scroll-margin-top:10px}
.latent:target{background:var(--accent-soft);border-radius:8px;padding-left:12px;padding-right:12px}
.latent h4{font-size:14.5px;color:var(--text);margin:0 0 2px;overflow-wrap:anywhere}
.latent .id{color:var(--soft);font-weight:600;font-variant-numeric:tabular-nums;margin-right:4px}
.latent .scores{width:auto;margin:6px 0 10px}
.latent .scores td,.latent .scores th{padding:3px 22px 3px 0}
.sides{display:grid;grid-template-columns:minmax(0,3fr) minmax(0,2fr);gap:8px 28px;align-items:start}
.contexts{list-style:none;margin:0;padding:0;display:grid;gap:5px;font-size:13.5px}
.contexts li{display:grid;grid-template-columns:44px 1fr;gap:8px}
.contexts .number{color:var(--soft);text-align:right}
.contexts q{quotes:none}
.tokens{display:grid;grid-template-columns:max-content 1fr;gap:4px 12px;font-size:12.5px}
.tokens dt{color:var(--soft);line-height:26px}
.tokens dd{margin:0}
.tokens small{color:var(--soft)}
.histogram{margin:10px 0}
.histogram svg{display:block;width:100%;height:60px;border-bottom:1px solid var(--line)}
.histogram rect{fill:var(--clean)}
.histogram figcaption{display:flex;justify-content:space-between;gap:12px;font-variant-numeric:tabular-nums}
details{border-top:1px solid var(--line);padding:10px 0 0;margin-top:10px}
summary{cursor:pointer;font-weight:600}
summary .small{margin-left:8px}
.settings{display:grid;grid-template-columns:max-content 1fr;gap:3px 18px;font-size:13.5px}
.settings dt{color:var(--soft)}
.settings dd{margin:0;overflow-wrap:anywhere}
footer{color:var(--soft);font-size:12.5px;margin-top:18px}
@media (max-width:640px){section{padding:16px}.sides,.vector{grid-template-columns:1fr}.wide{width:auto}.statement{font-size:18px}}
@media print{body{background:#fff}section{break-inside:avoid}}
`;
