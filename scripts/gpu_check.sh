#!/usr/bin/env bash
# Tries aha on a machine with a GPU, from a package (scripts/package.sh) or a build with its tests: what the machine is, the
# GPU's tests, a job on the GPU beside the same job on the CPU, speed beside its floors, and peers.
#   scripts/gpu_check.sh [--out DIR] [--only PART,PART...] [--dry-run]
# The part `compare` holds numbers of the jobs to within 1e-3 of each other: loss and gradient of the first step, which both
# take from the seed's weights, and loss, gradient and mean length of the first GRPO step, which gpu_grpo takes from the weights
# that the CPU's warm start ended with. `strict` is a strict job in bf16 twice, with other rows at once and other micro-batches: the
# same bytes, and no difference between rollout and training. `ranks` is the job on two GPUs, held to within 1e-3 of one's first step, and
# `ranks_strict` with strict: true, bf16 and weights divided, whose bytes are to be those of one; both are left out where one GPU is
# visible. `replay` trains the batches of ten CPU steps on the GPU, with tolerances of its own.
#   --out DIR    ./gpu_check; a log a part, results.json, replay*.json, bench.jsonl
#   --only       these parts alone
#   --dry-run    says what would be run
# It stops itself after 470 s: a part gets its own limit, or what is left of them, and is timed out where that is too little. One
# that fails does not keep the others from running. Peers that are not installed are left out, and so are several ranks where there is one GPU.
# Exit code 0: all passed; 1: a part failed; 77: no GPU.
source "$(dirname "$0")/common.sh"
out=$PWD/gpu_check dry=false only= most=470
while [ $# -gt 0 ]; do
  case $1 in
    --out) [ $# -ge 2 ] || die "gpu_check" "--out has no folder" "see scripts/gpu_check.sh --help"
      out=$2; shift ;;
    --only) [ $# -ge 2 ] || die "gpu_check" "--only has no parts" "see scripts/gpu_check.sh --dry-run"
      only=,$2,; shift ;;
    --dry-run) dry=true ;;
    -h | --help) sed -n '2,17s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) die "gpu_check" "unknown argument '$1'" "see scripts/gpu_check.sh --help" ;;
  esac
  shift
done

if [ -x "$PWD/aha" ]; then # a package
  aha=$PWD/aha
  find_program() { find "$PWD/tests" "$PWD/scripts/bench" -type f -name "$1" -perm -u+x -print -quit 2>/dev/null | grep .; }
else
  aha=$build/aha
  export AHA_CUDA_LIBRARY=$build/libaha_cuda.so
  find_program() { find "$build" -type f -name "$1" -perm -u+x -print -quit 2>/dev/null | grep .; }
fi
program() {
  local path
  if path=$(find_program "$1"); then echo "'$path'"; else echo "not_built $1"; fi
}
not_built() { echo "$1 is not built: nvcc was not found, or the tests were left out"; return 1; }
[ -x "$aha" ] || die "gpu_check" "$aha is not there" "run scripts/build.sh --tests, or start this from a package"

# FILE STAGE KEY: the value of the stage's first step in a metrics.jsonl
number_of_first_step() {
  awk -v stage="\"stage\":\"$2\"" -v key="\"$3\":" 'index($0, "{\"step\":1,") == 1 && index($0, stage) && (at = index($0, key)) {
    value = substr($0, at + length(key)); sub(/[,}].*/, "", value); print value; exit }' "$1"
}
# FILE FILE STAGE KEY...: whether the numbers are there and alike
compare_stage() {
  local a=$1 b=$2 stage=$3 key x y
  shift 3
  for key in "$@"; do
    x=$(number_of_first_step "$a" "$stage" "$key") y=$(number_of_first_step "$b" "$stage" "$key")
    awk -v name="$stage, step 1, $key" -v one="${one:-CPU}" -v other="${other:-GPU}" -v x="$x" -v y="$y" 'function size(v) { return v < 0 ? -v : v }
      BEGIN { number = "^-?[0-9.]+([eE][-+]?[0-9]+)?$"
        if (x !~ number || y !~ number) { printf "%s: %s \"%s\", %s \"%s\": a number is missing\n", name, one, x, other, y; exit 1 }
        most = size(x) > size(y) ? size(x) : size(y); gap = most > 0 ? size(x - y) / most : 0
        printf "%s: %s %s, %s %s, gap %.1e of at most 1e-3\n", name, one, x, other, y, gap; exit !(gap <= 1e-3) }' || return 1
  done
}
compare() { # FOLDER
  [ -f "$1/gpu_grpo/done" ] || { echo "gpu_grpo did not end"; return 1; } # its folder begins as a copy of the CPU's
  compare_stage "$1/cpu/metrics.jsonl" "$1/gpu/metrics.jsonl" warm_start loss grad_norm &&
    compare_stage "$1/cpu/metrics.jsonl" "$1/gpu_grpo/metrics.jsonl" grpo loss grad_norm completions/mean_length &&
    echo "the CPU's and the GPU's numbers of both first steps agree within 1e-3"
}
visible_gpus() {
  if [ -n "${CUDA_VISIBLE_DEVICES:-}" ]; then tr , '\n' <<<"$CUDA_VISIBLE_DEVICES" | grep -c .; else nvidia-smi -L | grep -c '^GPU '; fi
}
two_gpus() {
  local gpus
  gpus=$(visible_gpus)
  [ "$gpus" -ge 2 ] || { echo "left out: several ranks need two GPUs, and $gpus is visible"; return 77; }
}
several_ranks() { # FOLDER COMMAND...: the job on two GPUs beside the one on one
  local folder=$1
  shift
  two_gpus || return
  rm -rf "${folder:?}/ranks" && "$@" &&
    one="one GPU" other="two GPUs" compare_stage "$folder/gpu/metrics.jsonl" "$folder/ranks/metrics.jsonl" warm_start loss grad_norm &&
    echo "two ranks learn what one learns, within 1e-3"
}
strict_ranks() { # FOLDER COMMAND...: the job with strict on one GPU and on two
  local folder=$1 n
  shift
  two_gpus || return
  for n in 1 2; do
    rm -rf "${folder:?}/strict_$n" && "$@" --nproc $n --set output_dir="$folder/strict_$n" || return 1
  done
  cmp "$folder"/strict_{1,2}/checkpoints/step_210/model.safetensors && echo "weights of two ranks have the bytes of one's"
}
strict_job() { # FOLDER COMMAND...: a strict job twice, the second with fewer rows at once and smaller micro-batches
  local folder=$1 metric='"sampling/sampling_logp_difference/max":'
  shift
  rm -rf "${folder:?}"/strict_{all,few} && "$@" --set output_dir="$folder/strict_all" &&
    "$@" --set output_dir="$folder/strict_few" --set rollout.max_batch_size=40 \
      --set train.max_tokens_per_micro_batch=700 || return 1
  cmp "$folder"/strict_{all,few}/checkpoints/step_55/model.safetensors || return 1
  grep -q "$metric" "$folder/strict_all/metrics.jsonl" || { echo "no step says how far rollout and training are apart"; return 1; }
  ! grep "$metric" "$folder/strict_all/metrics.jsonl" | grep -vE "${metric}0(\.0)?[,}]" || return 1
  echo "weights have the same bytes, and rollout and training agree to the bit"
}
export -f strict_job not_built number_of_first_step compare_stage compare visible_gpus two_gpus several_ranks strict_ranks

toy=(train configs/countdown_aha.yaml --set stages.warm_start.train.max_steps=200 --set stages.grpo.train.max_steps=10)

names=() limits=() commands=()
part() { # NAME SECONDS COMMAND
  case ${only:-,$1,} in *,$1,*) names+=("$1"); limits+=("$2"); commands+=("$3") ;; esac
}
part machine 20 "nvidia-smi --query-gpu=name,driver_version,memory.total,compute_cap,clocks.max.sm --format=csv,noheader && '$aha' --version"
part kernels 90 "$(program test_cuda)"
part rollout 60 "$(program test_run_on_gpu) '[rollout]'"
part step 90 "$(program test_run_on_gpu) '~[rollout]'"
part cpu_job 60 "'$aha' ${toy[*]} --set output_dir='$out/cpu' --set device=cpu"
part gpu_job 60 "'$aha' ${toy[*]} --set output_dir='$out/gpu' --set device=cuda"
part gpu_grpo 60 "cp -r '$out/cpu' '$out/gpu_grpo' && sed -i 's/^device: cpu$/device: cuda/' '$out/gpu_grpo/config.resolved.yaml' && '$aha' ${toy[*]} --set output_dir='$out/gpu_grpo' --set device=cuda --resume '$out/gpu_grpo/checkpoints/step_200' && touch '$out/gpu_grpo/done'"
part compare 10 "compare '$out'"
part strict 60 "strict_job '$out' '$aha' train configs/countdown_aha.yaml --set stages.warm_start.train.max_steps=50 --set stages.warm_start.optim.warmup_steps=10 --set stages.grpo.train.max_steps=5 --set device=cuda --set strict=true --set model.storage=bf16 --set model.init.head_dim=64"
part ranks 60 "several_ranks '$out' '$aha' ${toy[*]} --set output_dir='$out/ranks' --set device=cuda --nproc 2"
part ranks_strict 90 "strict_ranks '$out' '$aha' ${toy[*]} --set device=cuda --set strict=true --set model.storage=bf16 --set optim.zero_stage=3"
replay="$(program bench_gpu) replay configs/countdown_aha.yaml --model '$out/cpu/checkpoints/step_200'"
part replay 60 "$replay --json '$out/replay.json'"
part replay_bf16 60 "$replay --json '$out/replay_bf16.json' --set model.storage=bf16"
bench() { part "$1_${3//./}${4:+_strict}" "$2" "$(program bench_gpu) $1 --model $3 ${4:-} --json '$out/bench.jsonl'"; } # WHAT SECONDS MODEL [--strict]
bench nv256 40 0.5b
bench grpo 60 0.5b
bench train 40 0.5b
bench families 40 0.5b
bench nv256 40 1.5b
bench train 40 1.5b
bench nv256 40 0.6b
bench nv256 40 0.5b --strict
bench train 40 0.5b --strict
peer() { part "peer_$1" "$2" "${AHA_PEERS_PYTHON:-python3} scripts/bench/peers/$3 --json '$out/bench.jsonl'"; } # NAME SECONDS SCRIPT
peer hand_loop 60 "hand_loop.py --load fixed"
peer hand_nv256 60 "hand_loop.py --load nv256"
peer generate 60 "transformers_generate.py --new 64"

[ ${#names[@]} -gt 0 ] || die "gpu_check" "--only names no part" "see scripts/gpu_check.sh --dry-run"

if $dry; then
  for i in "${!names[@]}"; do printf '%-16s %4d s at most   %s\n' "${names[i]}" "${limits[i]}" "${commands[i]}"; done
  exit 0
fi
nvidia-smi -L >/dev/null 2>&1 || { say "gpu_check: no GPU here (nvidia-smi -L finds none)"; exit 77; }

mkdir -p "$out" || die "gpu_check" "$out cannot be made" "name another folder by --out"
for name in "${names[@]}"; do
  case $name in cpu_job) rm -rf "${out:?}/cpu" ;; gpu_job) rm -rf "${out:?}/gpu" ;; gpu_grpo) rm -rf "${out:?}/gpu_grpo" ;; esac
done
[ -n "$only" ] || rm -f "$out/bench.jsonl"
failed=0 rows=()
printf '%-16s %-10s %8s   %s\n' part outcome seconds 'last line'
for i in "${!names[@]}"; do
  log=$out/${names[i]}.log started=$EPOCHREALTIME
  left=$((most - SECONDS))
  if [ $left -lt 5 ]; then
    echo "no time is left: see --only" >"$log"
    code=124
  else
    timeout -k 10 "$((limits[i] < left ? limits[i] : left))" bash -c "${commands[i]}" >"$log" 2>&1 </dev/null
    code=$?
  fi
  seconds=$(awk "BEGIN { printf \"%.1f\", $EPOCHREALTIME - $started }")
  grep -q 'skipped: no GPU' "$log" && code=77
  case $code${names[i]} in 77peer_* | 77ranks | 77ranks_strict) ;; 0*) ;; *) failed=1 ;; esac
  case $code in 77) outcome="not run" ;; 0) outcome=passed ;; 124 | 137) outcome="timed out" ;; *) outcome="failed ($code)" ;; esac
  last=$(grep -v '^[=~ -]*$' "$log" | tail -n 1 | tr -d '"\\' | tr -cd '[:print:]' | cut -c1-160)
  printf '%-16s %-10s %8.1f   %s\n' "${names[i]}" "$outcome" "$seconds" "$last"
  rows+=("{\"part\": \"${names[i]}\", \"exit_code\": $code, \"seconds\": $seconds, \"last_line\": \"$last\"}")
done
{ echo '['; printf '%s\n' "${rows[@]}" | sed '$!s/$/,/'; echo ']'; } >"$out/results.json"
say "gpu_check: logs and results.json are in $out"
exit $failed
