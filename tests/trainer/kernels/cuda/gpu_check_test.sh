#!/usr/bin/env bash
# scripts/gpu_check.sh in a package of programs that only pretend, on a machine whose nvidia-smi does.
set -u
root=$(cd "$(dirname "$0")/../../../.." && pwd) # the clone
place=$(mktemp -d) && trap 'rm -rf "$place"' EXIT
mkdir -p "$place"/{scripts,tests,bin,configs}
cp "$root"/scripts/{common,gpu_check}.sh "$place/scripts/"
# seconds that a hanging program is given, for this test
sed -i 's/-k 10/-k 1/; s/^part cpu_job [0-9]*/part cpu_job 5/' "$place/scripts/gpu_check.sh"

program() { # FILE BODY
  printf '#!/usr/bin/env bash\n%s\n' "$2" >"$place/$1"
  chmod +x "$place/$1"
}
job() { # LOSS-OF-THE-GPU: a job that writes what the comparison reads
  program aha 'case "$*" in *device=cuda*) loss='"$1"' ;; *) loss=2.5 ;; esac
out=$(printf "%s\n" "$@" | sed -n "s/^output_dir=//p")
[ -n "$out" ] || { echo aha 1; exit 0; }
mkdir -p "$out/checkpoints/step_200"
printf "{\"step\":1,\"stage\":\"%s\",\"loss\":$loss,\"grad_norm\":3e-1,\"completions/mean_length\":16.0}\n" warm_start grpo >"$out/metrics.jsonl"'
}
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
check && { echo "a part that was not run counts as passed"; failures=1; }
expect "a test that is skipped" '^kernels +not run '
expect "a test that is not built" '^step +failed \(1\) .*test_run_on_gpu is not built'
expect "jobs that agree" '^compare +passed .*agree within 1e-3'

program tests/test_cuda 'echo ok'
program tests/test_run_on_gpu 'echo ok'
check || { echo "all parts pass, but not the whole"; cat "$place/log"; failures=1; }

job 2.51
check
expect "jobs that differ" '^compare +failed \(1\) .*warm_start, step 1, loss: CPU 2.5, GPU 2.51'

program aha 'trap "" TERM
case "$*" in *cpu*) while :; do sleep 0.2; done ;; *) exit 2 ;; esac'
check
expect "a job that does not end when asked" '^cpu_job +timed out '
expect "a job that does not start" '^gpu_job +failed \(2\) '
expect "numbers that are missing" '^compare +failed \(1\) '
[ $failures = 0 ] && echo passed
exit $((failures > 0))
