#!/usr/bin/env bash
# SmolLM2-135M on this machine's CPU, in turns on the same f32 weights: decoding (100 + 128 tokens; batch 1, 8, 32) in
# aha, transformers and llama.cpp (batch 1), and one GRPO step (4 prompts x 8) in aha and TRL with its peak memory.
#   scripts/bench/smollm2.sh [DIR] [--part decode|step|all] [--rounds 2] [--steps 1] [--batches 1 8 32]
#                            [--storages f32 bf16 fp16] [--only-aha]
# DIR: a float32 folder, default models/smollm2-135m-instruct (scripts/get_smollm2.sh). About 12 min on two cores.
# The peers' virtual environment is that of cpu_step.sh; llama.cpp is the prebuilt package xllamacpp. Measures
# memory bandwidth and GEMM peak first and gives every result as a share of its floor.
source "$(dirname "$0")/../common.sh"
case ${1:-} in -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;; esac
folder=models/smollm2-135m-instruct
case ${1:-} in '' | -*) ;; *) folder=$1; shift ;; esac
[ -f "$folder/model.safetensors" ] || die "bench" "$folder holds no model.safetensors" "run scripts/get_smollm2.sh $folder"
source scripts/bench/peers.sh
kernels=$(tool bench_kernels) && bandwidth=$(tool bench_bandwidth) || exit 1
exec "$python" scripts/bench/smollm2.py "$folder" --aha "$build/aha" --kernels "$kernels" --bandwidth "$bandwidth" "$@"
