# What the scripts of this folder share; sourced from the project's root.
[ -d node_modules ] || npm ci
[ -d dist ] || npm run build

# run FILE COMMAND…: the command's JSON in FILE, unless it is there; with THREADS threads where that is set.
run() {
  local file=$1
  shift
  [ -s "$file" ] && return
  echo "antecedent $*" >&2
  node bin/antecedent.js "$@" ${THREADS:+--threads "$THREADS"} --json >"$file.part"
  mv "$file.part" "$file"
}
