#!/usr/bin/env bash
# Compares aha with transformers on this machine: log-probabilities, greedy text, and what aha saves.
#
#   scripts/parity.sh [MODEL_FOLDER...]
#
# Tiny random models of every family are always compared; folders that are named are compared besides.
# Python with torch and transformers: AHA_PEERS_PYTHON, else python3. Exit 1 beyond the tolerance, 77
# where there is no transformers.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

python=${AHA_PEERS_PYTHON:-python3}
aha=${AHA_BINARY:-$build/aha}
[ -x "$aha" ] || die parity "$aha is missing" "build it with scripts/build.sh, or name it in AHA_BINARY"
if ! "$python" -c 'import torch, transformers, tokenizers' 2>/dev/null; then
  say "skipped: $python has no torch, transformers and tokenizers; AHA_PEERS_PYTHON names one that has"
  exit 77
fi
OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} exec "$python" scripts/parity.py "$aha" "$@"
