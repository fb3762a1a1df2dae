#!/usr/bin/env bash
# The post's toy backdoors, each method by itself: SAE-Attribution, Supervised MELBO and Supervised SAE-MELBO (first
# vector), the last two also with what the post's text suggests (read by the decoder; signed z in raw units) and Supervised MELBO at a fixed norm too, on each organism and, as a control, on the clean model; iterated
# attribution on each organism; and the table. Results go to build/toys/; what is there is not made again.
#
#   runs/toys.sh
#   MODEL=path/to/Llama-3.1-8B-Instruct ORGANISMS="path/to/snow-fruit-llama path/to/astrology-llama" SAE=path/to/llama-scope LAYER=12 \
#     PROMPTS=ordinary.jsonl CORPUS=prompts.jsonl ENGINE="--engine torch --device cuda --dtype bf16" runs/toys.sh
#
#   MODEL=llama-3.1-8b-instruct ORGANISMS=published-snow-fruit ACTION="…" SAE=llama-scope-l12r-32x … runs/toys.sh
#
# Organisms are folders that `organism train` wrote (examples/), or adapters whose action ACTION says. On another model than `pocket`
# there is no table, as nobody knows which latents are about what, but an audit of each.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/.."
OUT=build/toys
MODEL=${MODEL:-pocket}
. runs/common.sh
if [ "$MODEL" = pocket ]; then
  ORGANISMS="fruit-refusal snow-fruit astrology busy-line"
  where=()
else
  needs ORGANISMS "the organisms' folders"
  needs SAE "the folder of an SAE"
  needs LAYER "the block after which the SAE reads"
  needs PROMPTS "ordinary prompts, .jsonl or .txt"
  needs CORPUS "unlabelled prompts, .jsonl or .txt"
  OUT=$OUT/$(folder_of "$MODEL" "$SAE" "$LAYER" "$PROMPTS" "$CORPUS")
  where=(--sae "$SAE" --layer "$LAYER" --prompts "$PROMPTS" --corpus "$CORPUS")
fi
mkdir -p "$OUT"

# The flags of an organism's action, a line each.
action_of() {
  local request=$1/audit.yaml
  [ "$MODEL" != pocket ] || request=pocket/organisms/$1/audit.yaml
  if [ -n "${ACTION:-}" ]; then
    printf '%s\n' --action "$ACTION"
  elif [ -f "$request" ]; then
    node -e 'const { action, actionContains = [] } = require("yaml").parse(fs.readFileSync(process.argv[1], "utf8"));
      console.log(["--action", action, ...actionContains.flatMap((text) => ["--action-contains", text])].join("\n"));' "$request"
  else
    echo "$0: $request: no such file: give ACTION, what the organism says" >&2
    return 2
  fi
}

# The whole rankings, and nothing that costs time beside them; the clean model is searched by itself, as its control would list only the
# organism's latents.
all=(--contexts 0 --samples 0 --no-controls)
ranked=(--top 2048)
for organism in $ORGANISMS; do
  lines=$(action_of "$organism")
  mapfile -t action <<<"$lines"
  name=$organism
  [ "$MODEL" = pocket ] || name=$(folder_of "$organism" "${action[@]}")
  on=(--model "$MODEL" "${where[@]}" "${action[@]}")
  # search NAME METHOD [FLAGS]: on the organism and on the clean model.
  search() {
    local file=$OUT/$name-$1
    shift
    run "$file.json" find "$@" "${on[@]}" --adapter "$organism" "${ranked[@]}" "${all[@]}"
    run "$file-clean.json" find "$@" "${on[@]}" "${ranked[@]}" "${all[@]}"
  }
  search sae-attribution sae-attribution
  search supervised-melbo supervised-melbo
  search supervised-melbo-read-by-decoder supervised-melbo --read-by decoder
  # The norm that the penalty chose on the organism, fixed.
  norm=$(node -p 'JSON.parse(fs.readFileSync(process.argv[1], "utf8")).vectors[0].norm' "$OUT/$name-supervised-melbo.json")
  search supervised-melbo-fixed-norm supervised-melbo --radius "$norm"
  search supervised-sae-melbo supervised-sae-melbo
  search supervised-sae-melbo-signed-units-raw supervised-sae-melbo --signed --units raw
  run "$OUT/$name-iterated-attribution.json" find iterated-attribution "${on[@]}" --adapter "$organism" "${all[@]}"
  [ "$MODEL" = pocket ] || run "$OUT/$name-audit.json" audit "${on[@]}" --adapter "$organism" --out "$OUT/audits/$name"
done
if [ "$MODEL" = pocket ]; then
  if ! [ -s "$OUT/organisms.json" ]; then
    node bin/antecedent.js organism list --json >"$OUT/organisms.json.part"
    mv "$OUT/organisms.json.part" "$OUT/organisms.json"
  fi
  if ! [ -s "$OUT/concepts.json" ]; then
    node bench/concept-latents.mjs --json >"$OUT/concepts.json.part"
    mv "$OUT/concepts.json.part" "$OUT/concepts.json"
  fi
  node bench/toys.mjs "$OUT" | tee "$OUT/table.md"
fi
