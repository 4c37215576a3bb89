#!/usr/bin/env bash
# One GRPO step of the same tiny Llama in TRL and in aha, and generation by a hand-written torch loop, in
# turns, on this machine's CPU.
#   scripts/bench/cpu_step.sh [--rounds 3] [--steps 8] [--shape 4x72|2x96] [--threads N] [--only-aha]
# Makes a virtual environment with trl 1.16.0, transformers 5.23.0 and torch 2.11.0 under .deps/peers
# (about 3 min, 5 GB; AHA_PEERS_PYTHON names a Python that has them), writes one model folder and one
# prompt file, and runs both on them: 16 prompts x 16 completions, every completion 72 tokens long.
# Prints generation, training and total per step for all, ratios, share of the GEMM peak, and the floor.
source "$(dirname "$0")/../common.sh"
case ${1:-} in -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;; esac
source scripts/bench/peers.sh
kernels=$(tool bench_kernels) || exit 1
exec "$python" scripts/bench/cpu_step.py --aha "$build/aha" --kernels "$kernels" "$@"
