#!/usr/bin/env bash
# From a fresh clone to a trained toy: installs what is missing, builds, trains configs/countdown_aha.yaml
# (about a minute on two cores) and shows what happened.   scripts/quickstart.sh [--set KEY=VALUE ...]
# Run it again to see the report again; remove runs/countdown_aha to train again.
source "$(dirname "$0")/common.sh"
case ${1:-} in -h | --help) sed -n '2,4s/^# \{0,1\}//p' "$0"; exit 0 ;; esac
scripts/setup.sh || exit 1
scripts/build.sh || exit 1
started=$SECONDS
say "training configs/countdown_aha.yaml (about 1 min on two cores) ..."
"$build/aha" train configs/countdown_aha.yaml --resume auto "$@" ||
  die "training" "aha train ended with exit code $?" "read the line above; the same command goes on from the last checkpoint"
say "training: $((SECONDS - started)) s"
run=runs/countdown_aha
for argument in "$@"; do case $argument in output_dir=*) run=${argument#output_dir=} ;; esac; done
"$build/aha" report "$run" || exit 1
[ ! -f "$run/report.html" ] || say "curves and samples: open $run/report.html in a browser"
