#!/usr/bin/env bash
# Mathematical answers judged by aha's reward `math` and by Math-Verify 0.8.0 on the same rows, one thread each, in one run.
#   scripts/bench/verifier.sh [ROWS.jsonl] [--rounds 3]
# ROWS.jsonl has gold and prediction, and expected for the agreement; default: the cases of tests/golden/rewards. About a
# minute. AHA_PEERS_PYTHON names a Python that has math-verify; else one is made under .deps/verifier.
source "$(dirname "$0")/../common.sh"
case ${1:-} in -h | --help) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 0 ;; esac
rows=tests/golden/rewards/math_rows.jsonl
case ${1:-} in '' | -*) ;; *) rows=$1; shift ;; esac
[ -f "$rows" ] || die "bench" "$rows is not there" "name a JSONL file of gold and prediction"
make_verifier() {
  python3 -m venv "$deps/verifier" && "$deps/verifier/bin/pip" install --disable-pip-version-check math-verify==0.8.0
}
python=${AHA_PEERS_PYTHON:-$deps/verifier/bin/python}
if [ ! -x "$python" ]; then
  step "making an environment with Math-Verify" "under a minute" make_verifier
  python=$deps/verifier/bin/python
fi
scripts/build.sh bench_verifier || exit 1
exec "$python" scripts/bench/verifier.py "$rows" --bench "$(find "$build" -name bench_verifier -type f | head -1)" "$@"
