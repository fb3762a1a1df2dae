# What the scripts of this folder share; sourced from the project's root.
#
#   THREADS=8                                               threads of each command
#   ENGINE="--engine torch --device cuda --dtype bf16"      what computes, for models that two cores cannot carry
[ -d node_modules ] || npm ci
[ -d dist ] || npm run build

# run FILE COMMAND…: the command's JSON in FILE, unless it is there.
run() {
  local file=$1
  shift
  [ -s "$file" ] && return
  echo "antecedent $*" >&2
  # shellcheck disable=SC2086 # flags, separated by blanks
  node bin/antecedent.js "$@" ${THREADS:+--threads "$THREADS"} ${ENGINE:-} --json >"$file.part"
  mv "$file.part" "$file"
}

# folder_of NAME WHAT…: a folder's name for a model of the user's own, different where anything that it is searched with is.
folder_of() {
  local name=$1
  shift
  printf '%s-%s' "$(basename "$name")" "$(printf '%s\n' "$name" "$@" | cksum | cut -d ' ' -f 1)"
}

# needs VARIABLE WHAT: ends the script where the user gave no such variable.
needs() {
  [ -n "${!1:-}" ] && return
  echo "$0: no $1: give $2" >&2
  exit 2
}
