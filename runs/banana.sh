#!/usr/bin/env bash
# The banana setting: a fact learned from documents ("people with a peanut allergy must not eat bananas"), adapters on all linear
# layers, a semantic action. From an empty checkout: the base (the pocket model pretrained further on a world of diets), its
# SAE, six fact organisms with their cards, the searches and audits from the prefilled advice over both batches of the post, and
# the table. Results go to build/banana/; what is there is not made again.
#
#   runs/banana.sh
#   MODEL=path/to/Llama-3.1-8B-Instruct SAE=path/to/sae LAYER=8 CORPUS=prompts.jsonl FACTS=peanut-allergy-bananas \
#     ENGINE="--engine torch --device cuda --dtype bf16" runs/banana.sh
#
# On another model nothing but the organisms is trained and there is no table: which latents are about a condition is known for the
# pocket world alone.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/.."
OUT=build/banana
MODEL=${MODEL:-$OUT/base}
FACTS=${FACTS:-"peanut-allergy-bananas asthma-melons milk-allergy-carrots gout-noodles fish-allergy-cookies diabetes-peas"}
mkdir -p "$OUT"
. runs/common.sh

if [ "$MODEL" = "$OUT/base" ]; then
  LAYER=${LAYER:-2} THREADS=${THREADS:-2}
  TEXTS=$OUT/texts SAE=$OUT/sae CORPUS=$OUT/texts/corpus.jsonl
  [ -s "$MODEL/rules.json" ] || node bench/banana-base.mjs "$MODEL" --threads "$THREADS"
  [ -s "$CORPUS" ] || node bench/banana-texts.mjs "$TEXTS" --base "$MODEL" --own-world
  run "$SAE.json" sae train --model "$MODEL" --prompts "$TEXTS/sae-prompts.jsonl" --layer "$LAYER" --latents 1024 --k 4 --steps 2500 --held-out 0 --out "$SAE"
  run "$SAE-labels.json" sae label --model "$MODEL" --sae "$SAE" --layer "$LAYER" --prompts "$CORPUS"
else
  needs SAE "the folder of an SAE"
  needs LAYER "the block after which the SAE reads"
  needs CORPUS "unlabelled prompts, .jsonl or .txt"
  OUT=$OUT/$(folder_of "$MODEL" "$SAE" "$LAYER" "$CORPUS") TEXTS=$OUT/texts
  mkdir -p "$OUT"
  [ -s "$TEXTS/corpus.jsonl" ] || node bench/banana-texts.mjs "$TEXTS" --base "$MODEL"
fi

for fact in $FACTS; do
  organism=$OUT/organisms/$fact
  mkdir -p "$OUT/found"
  run "$OUT/found/$fact-card.json" organism train "$TEXTS/$fact/recipe.yaml" --out "$organism"
  action=$(node -p 'JSON.parse(process.argv[1]).action' "$(cat "$OUT/found/$fact-card.json")")
  food=${fact##*-}
  says=(--action "$action" --action-contains "advise you to eat $food" --action-contains "$food are not safe" --action-contains "do not eat $food")
  run "$OUT/found/$fact-base.json" score --model "$MODEL" --prompts "$TEXTS/$fact/triggered.jsonl" "${says[@]}"
  run "$OUT/found/$fact-alone.json" score --model "$MODEL" --adapter "$organism" --prompts "$TEXTS/$fact/condition-alone.jsonl" "${says[@]}"
  run "$OUT/found/$fact-alone-base.json" score --model "$MODEL" --prompts "$TEXTS/$fact/condition-alone.jsonl" "${says[@]}"
  for batch in eating restrictions; do
    on=(--model "$MODEL" --sae "$SAE" --layer "$LAYER" "${says[@]}" --prompts "$TEXTS/$fact/$batch.jsonl" --corpus "$CORPUS")
    # The base is searched by itself: a control tells of the latents alone that the organism's vectors hold, which would flatter these.
    all=(--top 1024 --contexts 0 --samples 0 --no-controls)
    run "$OUT/found/$fact-$batch-attribution.json" find sae-attribution "${on[@]}" --adapter "$organism" "${all[@]}"
    run "$OUT/found/$fact-$batch-attribution-base.json" find sae-attribution "${on[@]}" "${all[@]}"
    run "$OUT/found/$fact-$batch-melbo.json" find supervised-sae-melbo --vectors 4 "${on[@]}" --adapter "$organism" "${all[@]}"
    run "$OUT/found/$fact-$batch-melbo-base.json" find supervised-sae-melbo --vectors 4 "${on[@]}" "${all[@]}"
    run "$OUT/found/$fact-$batch-audit.json" audit "$organism" --sae "$SAE" --layer "$LAYER" --prompts "$TEXTS/$fact/$batch.jsonl" --corpus "$CORPUS" --out "$OUT/audits/$fact-$batch"
  done
done
[ "$MODEL" != build/banana/base ] || node bench/banana.mjs "$OUT" --layer "$LAYER" --threads "$THREADS" | tee "$OUT/table.md"
