# Shared by the scripts of this folder: where things are, how steps are announced, how failures read.
# Source it; it changes into the clone.

set -u -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
deps=${AHA_DEPS_DIR:-$PWD/.deps}
build=${AHA_BUILD_DIR:-$PWD/build}
export AHA_DEPS_DIR=$deps

say() { printf 'aha: %s\n' "$*" >&2; }

# die STEP WHY WHAT-TO-DO: one line, exit 1
die() { printf 'aha: %s failed: %s; %s\n' "$1" "$2" "$3" >&2; exit 1; }

# step NAME EXPECTED COMMAND...: announces, runs with output in a log, says how long it took; on failure
# prints the log's end and one line.
step() {
  local name=$1 expected=$2 log started
  shift 2
  mkdir -p "$build/logs" || die "$name" "$build cannot be made" "check the folder's permissions"
  log=$build/logs/$(printf '%s' "$name" | tr -c 'a-zA-Z0-9' '_').log
  started=$SECONDS
  say "$name ($expected) ..."
  if ! "$@" >"$log" 2>&1 </dev/null; then
    tail -n 25 "$log" >&2
    die "$name" "$(grep -iE 'error|fail|unable|cannot' "$log" | tail -n 1 | cut -c1-200)" "see $log, mend it and run the same command again"
  fi
  say "$name: $((SECONDS - started)) s"
}
