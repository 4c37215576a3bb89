#!/usr/bin/env bash
# scripts/gpu_check.sh in a package of programs that only pretend, on a machine whose nvidia-smi does.
set -u
root=$(cd "$(dirname "$0")/../../../.." && pwd) # the clone
place=$(mktemp -d) && trap 'rm -rf "$place"' EXIT
mkdir -p "$place"/{scripts/bench/peers,tests,bin,configs}
cp "$root"/scripts/{common,gpu_check}.sh "$place/scripts/"
# seconds that a hanging program is given, for this test
sed -i 's/-k 10/-k 1/; s/^part cpu_job [0-9]*/part cpu_job 5/' "$place/scripts/gpu_check.sh"

program() { # FILE BODY
  printf '#!/usr/bin/env bash\n%s\n' "$2" >"$place/$1"
  chmod +x "$place/$1"
}
job() { # LOSS-OF-THE-GPU [GAP]: a job that writes what the comparisons read
  program aha 'case "$*" in *device=cuda*) loss='"$1"' ;; *) loss=2.5 ;; esac
out=$(printf "%s\n" "$@" | sed -n "s/^output_dir=//p")
[ -n "$out" ] || { echo aha 1; exit 0; }
mkdir -p "$out"/checkpoints/step_{55,200,210}
echo weights | tee "$out"/checkpoints/step_{55,210}/model.safetensors >"$out/log.txt"
echo "device: cpu" >"$out/config.resolved.yaml"
printf "{\"step\":1,\"stage\":\"%s\",\"loss\":$loss,\"grad_norm\":3e-1,\"completions/mean_length\":16.0,\"sampling/sampling_logp_difference/max\":'"${2:-0.0}"'}\n" warm_start grpo >"$out/metrics.jsonl"'
}
export AHA_PEERS_PYTHON=bash # peers pretend too
check() { PATH=$place/bin:$PATH "$place/scripts/gpu_check.sh" --out "$place/out" >"$place/log" 2>&1; }
failures=0
expect() { # WHAT PATTERN
  grep -qE "$2" "$place/log" && return
  echo "$1: no line like '$2' in:"
  cat "$place/log"
  failures=$((failures + 1))
}

program bin/nvidia-smi 'exit 0'
program tests/test_cuda 'echo "skipped: no GPU (there is no /dev/nvidiactl)"'
job 2.5001
for peer in hand_loop transformers_generate; do program scripts/bench/peers/$peer.py 'echo skipped; exit 77'; done
bench='[ "$1" != replay ] || exit 0; echo "$1 ${*: -3:1}: 100 tok/s, 50.0 % of the floor"; echo "{}" >>"${*: -1}"'
program scripts/bench/bench_gpu '[ "$1" != replay ] || { echo "10 of 10 steps"; touch "$6"; };'"$bench"
check && { echo "a part that was not run counts as passed"; failures=1; }
expect "a test that is skipped" '^kernels +not run '
expect "a test that is not built" '^step +failed \(1\) .*test_run_on_gpu is not built'
expect "jobs that agree" '^compare +passed .*agree within 1e-3'

program tests/test_cuda 'echo ok'
program tests/test_run_on_gpu 'echo ok'
check || { echo "all parts pass, but not the whole"; cat "$place/log"; failures=1; }
expect "a peer that is not installed" '^peer_generate +not run '
expect "one GPU" '^ranks +not run .*several ranks need two GPUs, and 0 is visible'
expect "a bench" '^nv256_15b +passed .*50.0 % of the floor'
[ "$(wc -l <"$place/out/bench.jsonl")" = 9 ] || { echo "results of benches are missing"; failures=1; }
PATH=$place/bin:$PATH "$place/scripts/gpu_check.sh" --out "$place/out" --only machine,replay >"$place/log" 2>&1
[ "$(grep -cE '^[a-z_0-9]+ +passed' "$place/log")" = 2 ] || { echo "--only:"; cat "$place/log"; failures=1; }
program scripts/bench/bench_gpu '[ "$1" != replay ] || { echo "9 of 10 steps"; exit 1; };'"$bench"
check
expect "a replay that differs" '^replay +failed \(1\) .*9 of 10 steps'
sed -i 's/most=470/most=4/' "$place/scripts/gpu_check.sh"
check
expect "a part that no time is left for" '^machine +timed out .*no time is left'
sed -i 's/most=4/most=470/' "$place/scripts/gpu_check.sh"

program bin/nvidia-smi 'printf "GPU 0: a\nGPU 1: b\n"'
PATH=$place/bin:$PATH CUDA_VISIBLE_DEVICES=1 "$place/scripts/gpu_check.sh" --out "$place/out" --only ranks >"$place/log" 2>&1
expect "one visible GPU" '^ranks +not run .*and 1 is visible'
check
expect "two GPUs" '^ranks +passed .*two ranks learn what one learns'
expect "two GPUs with strict" '^ranks_strict +passed .*have the bytes of one'

job 2.51
check
expect "a strict job" '^strict +passed .*agree to the bit'
expect "jobs that differ" '^compare +failed \(1\) .*warm_start, step 1, loss: CPU 2.5, GPU 2.51'

job 2.5 1e-7
check
expect "a strict job with a gap" '^strict +failed \(1\) .*logp_difference/max.*1e-7'

program aha 'trap "" TERM
case "$*" in *cpu*) while :; do sleep 0.2; done ;; *) exit 2 ;; esac'
check
expect "a job that does not end when asked" '^cpu_job +timed out '
expect "a job that does not start" '^gpu_job +failed \(2\) '
expect "numbers that are missing" '^compare +failed \(1\) '
[ $failures = 0 ] && echo passed
exit $((failures > 0))
