#!/usr/bin/env bash
# What ranks cost on this machine: two ranks with one thread each beside two independent runs going at once and one alone.
#   scripts/bench/ranks.sh [--rounds 3] [--model DIR] [--steps 20] [--peer] [--peer-rounds 1]
# Countdown always; SmolLM2-135M where --model names its folder (scripts/get_smollm2.sh); strict mode beside the plain one;
# time in collectives and waiting by phase, from log.trace, and what the trace itself costs. --peer: TRL under
# `accelerate launch` with two CPU processes on the same job, side by side with aha on two ranks (AHA_PEERS_PYTHON names a
# Python that has them, as in cpu_step.sh).
source "$(dirname "$0")/../common.sh"
case ${1:-} in -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;; esac
python=python3
case " $* " in *" --peer "*) source scripts/bench/peers.sh ;; esac
exec "$python" scripts/bench/ranks.py --aha "$build/aha" "$@"
