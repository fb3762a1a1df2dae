#!/usr/bin/env bash
# A blind game from beginning to end: an organism is trained from a recipe and its truth sealed, `audit` plays it, the guess is fixed,
# and the seal is opened and the guess scored. The Astrology game of the post by default. Results go to build/games/; what is there
# is not made again. On two cores three minutes of training and two of play.
#
#   runs/game.sh                                      pocket/recipes/astrology.yaml
#   RECIPE=my-recipe.yaml runs/game.sh                a recipe of yours
#   RECIPE=random SEED=7 runs/game.sh                 a trigger and an action drawn by the seed
#   DECOY=cue runs/game.sh                            an ordinary cue raises the action too; DECOY=clean: there is no trigger
#   RECIPE=examples/astrology-llama.yaml SAE=llama-scope-l12r-32x CORPUS=prompts.jsonl \
#     ENGINE="--engine torch --device cuda --dtype bf16" runs/game.sh       on the base that the recipe names; also LAYER, PROMPTS
#
# The key lies beside the game's folder, not in it: for a game between people let one run `game new` and keep the key.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/.."
. runs/common.sh
RECIPE=${RECIPE:-pocket/recipes/astrology.yaml}
OUT=build/games/$(folder_of "$(basename "$RECIPE" .yaml)" "$RECIPE" "${DECOY:-}" "${SEED:-}" ${SAE:+"sae $SAE"} ${LAYER:+"layer $LAYER"} ${CORPUS:+"corpus $CORPUS"} ${PROMPTS:+"prompts $PROMPTS"})
mkdir -p "$OUT"

truth=(--recipe "$RECIPE")
[ "$RECIPE" != random ] || truth=(--random ${SEED:+--seed "$SEED"})
truth+=(${SAE:+--sae "$SAE"} ${LAYER:+--layer "$LAYER"} ${CORPUS:+--corpus "$CORPUS"} ${PROMPTS:+--prompts "$PROMPTS"})
run "$OUT/new.json" game new "${truth[@]}" ${DECOY:+--decoy "$DECOY"} --out "$OUT/game" --key-file "$OUT/key"
run "$OUT/play.json" game play "$OUT/game"
# A guess computes nothing.
THREADS="" ENGINE="" run "$OUT/guess.json" game guess "$OUT/game"
[ -s "$OUT/reveal.txt" ] ||
  { node bin/antecedent.js game reveal "$OUT/game" --key-file "$OUT/key" ${THREADS:+--threads "$THREADS"} ${ENGINE:-} >"$OUT/reveal.part" &&
    mv "$OUT/reveal.part" "$OUT/reveal.txt"; }
cat "$OUT/reveal.txt"
