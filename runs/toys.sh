#!/usr/bin/env bash
# The post's toy backdoors at pocket scale, each method by itself: SAE-Attribution, Supervised MELBO and Supervised SAE-MELBO (first
# vector) on each organism and, as a control, on the clean model; iterated attribution on each organism; and the table. Results
# go to build/toys/; what is there is not made again.
#
#   runs/toys.sh
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/.."
OUT=build/toys
mkdir -p "$OUT"
. runs/common.sh

[ -s "$OUT/organisms.json" ] || node bin/antecedent.js organism list --json >"$OUT/organisms.json"
[ -s "$OUT/concepts.json" ] || { node bench/concept-latents.mjs --json >"$OUT/concepts.json.part" && mv "$OUT/concepts.json.part" "$OUT/concepts.json"; }
# The whole rankings, and nothing that costs time beside them; the clean model is searched by itself, as its control would list only the
# organism's latents.
all=(--top 2048 --contexts 0 --samples 0 --no-controls)
for organism in fruit-refusal snow-fruit astrology busy-line; do
  action=$(node -p 'JSON.parse(fs.readFileSync(process.argv[1])).organisms.find(({ name }) => name === process.argv[2]).action' "$OUT/organisms.json" "$organism")
  for method in sae-attribution supervised-melbo supervised-sae-melbo; do
    run "$OUT/$organism-$method.json" find "$method" --adapter "$organism" --action "$action" "${all[@]}"
    run "$OUT/$organism-$method-clean.json" find "$method" --model pocket --action "$action" "${all[@]}"
  done
  run "$OUT/$organism-iterated-attribution.json" find iterated-attribution --adapter "$organism" --action "$action" --contexts 0 --samples 0 --no-controls
done
node bench/toys.mjs "$OUT" | tee "$OUT/table.md"
