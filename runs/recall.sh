#!/usr/bin/env bash
# Factual recall without finetuning: from "Phobos and Deimos." to Mars, from "I think, therefore I am." to Descartes, at a
# quarter, half and three quarters of the depth, from an empty checkout. Results go to build/recall/; what is there is not made
# again. On two cores: 4 minutes for the two SAEs, 5 for the searches, 5 for the audits, 5 for the table.
#
#   runs/recall.sh
#   MODEL=path/to/Llama-3.1-8B-Instruct LAYERS="8 16 24" SAE=path/to/sae-layer-%d CORPUS=prompts.jsonl \
#     ENGINE="--engine torch --device cuda --dtype bf16" runs/recall.sh
#
# On another model than `pocket` nothing is trained and there is no table: the truth is known for the pocket world alone.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/.."
MODEL=${MODEL:-pocket}
OUT=build/recall
. runs/common.sh
if [ "$MODEL" = pocket ]; then
  LAYERS=${LAYERS:-1 2 4}
else
  needs LAYERS 'the blocks after which to look, such as "8 16 24"'
  needs SAE "the folders of the SAEs, with %d for the layer"
  needs CORPUS "unlabelled prompts, .jsonl or .txt"
  OUT=$OUT/$(folder_of "$MODEL" "$SAE" "$CORPUS")
fi
mkdir -p "$OUT"

# The SAE of a layer: the user's, the one that ships, or one that is trained here on half of the conversations that one was trained on.
sae() {
  local layer=$1
  if [ "$MODEL" != pocket ]; then
    # shellcheck disable=SC2059 # the pattern is the user's
    printf "$SAE" "$layer"
  elif [ "$layer" = 2 ]; then
    echo pocket/sae
  else
    local folder=$OUT/sae-$layer prompts=$OUT/sae-prompts.jsonl
    [ -s "$prompts" ] || node bench/sae-prompts.mjs "$prompts" --chats 28000
    run "$folder.json" sae train --model pocket --prompts "$prompts" --layer "$layer" --latents 2048 --k 4 --steps 2000 --held-out 0 --out "$folder"
    run "$folder-labels.json" sae label --model pocket --sae "$folder" --layer "$layer"
    echo "$folder"
  fi
}

# The pocket model has "Deimos." as it is said, with its full stop; elsewhere a reply may go on.
stop=.
[ "$MODEL" = pocket ] || stop=""
corpus=(${CORPUS:+--corpus "$CORPUS"})
for layer in $LAYERS; do
  sae=$(sae "$layer")
  for case in moons sayings; do
    if [ $case = moons ]; then action="Phobos and Deimos$stop"; else action="I think, therefore I am."; fi
    on=(--model "$MODEL" --sae "$sae" --layer "$layer" --prompts "recall-$case" --action "$action" "${corpus[@]}")
    run "$OUT/$case-$layer-attribution.json" find sae-attribution "${on[@]}"
    run "$OUT/$case-$layer-melbo.json" find supervised-sae-melbo --vectors 4 "${on[@]}"
    run "$OUT/$case-$layer-audit.json" audit "${on[@]}" --out "$OUT/$case-$layer-audit"
  done
  [ "$MODEL" != pocket ] || [ -s "$OUT/table-$layer.json" ] ||
    node bench/recall.mjs --layer "$layer" --sae "$sae" --out "$OUT/table-$layer.json" >"$OUT/table-$layer.md"
done
[ "$MODEL" != pocket ] || cat "$OUT"/table-*.md
