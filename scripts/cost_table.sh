#!/usr/bin/env bash
# The table in trainer/README.md: one GRPO step of Qwen2.5 of four sizes on 1, 8 and 64 GPUs, as
# `aha check --gpu` computes it from the models' shapes. Nothing of it is run. cost_table.sh [KIND] (h100)
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
kind=${1:-h100}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# name, hidden, intermediate, layers, heads, key/value heads, vocabulary, tied: of the published config.json
shape() {
  mkdir -p "$work/$1"
  cat >"$work/$1/config.json" <<JSON
{"model_type": "qwen2", "hidden_size": $2, "intermediate_size": $3, "num_hidden_layers": $4,
 "num_attention_heads": $5, "num_key_value_heads": $6, "vocab_size": $7, "tie_word_embeddings": $8,
 "hidden_act": "silu", "max_position_embeddings": 32768, "rms_norm_eps": 1e-6, "rope_theta": 1000000.0}
JSON
}
shape 0.5B 896 4864 24 14 2 151936 true
shape 1.5B 1536 8960 28 12 2 151936 true
shape 7B 3584 18944 28 28 4 152064 false
shape 14B 5120 13824 48 40 8 152064 false

cat >"$work/job.yaml" <<YAML
output_dir: unused
model: {path: MODEL, storage: bf16}
data: {train: {path: unused.jsonl}, max_prompt_length: 256}
rollout: {num_generations: 16, max_completion_length: 1024}
reward: {functions: [{name: numeric}]}
train: {prompts_per_step: 128, max_tokens_per_micro_batch: 4096}
YAML

echo "| model | GPUs | ZeRO | a GPU | | sent by a GPU | step |"
echo "| --- | --- | --- | --- | --- | --- | --- |"
# rows MODEL RANKS GATHER STAGES: GATHER as optim.zero3_gather_for_rollout, STAGES a pattern of their numbers
rows() {
  "$build/aha" check "$work/job.yaml" --gpu "$kind" --nproc "$2" --set "model.path=$work/$1" \
    --set "optim.zero3_gather_for_rollout=$3" |
    awk -v model="$1" -v ranks="$2" -v by_block="$([[ $3 == false ]] && echo ' by block')" '/^ZeRO-'"$4"'/ {
      fit = $8 == "fits" ? "fits" : "does not fit"
      printf "| %s | %d | %s%s | %s %s | %s | %s %s | %s %s |\n", model, ranks, substr($1, 6), by_block, $2, $3, fit, $4, $5, $6, $7
    }'
}
for model in 0.5B 1.5B 7B 14B; do
  for ranks in 1 8 64; do
    rows $model $ranks true '[123]'
    rows $model $ranks false 3
  done
done
