#!/usr/bin/env bash
# Tries aha on a machine with a GPU, from a package (scripts/package.sh) or a build with its tests: what the machine is, the
# GPU's tests, and a job on the GPU beside the same job on the CPU.   scripts/gpu_check.sh [--out DIR] [--dry-run]
#   --out DIR    ./gpu_check; a log a part, and results.json
#   --dry-run    says what would be run
# One part that fails does not keep the others from running. Exit code 0: all passed; 1: a part failed; 77: no GPU.
source "$(dirname "$0")/common.sh"
out=$PWD/gpu_check dry=false
while [ $# -gt 0 ]; do
  case $1 in
    --out) [ $# -ge 2 ] || die "gpu_check" "--out has no folder" "see scripts/gpu_check.sh --help"
      out=$2; shift ;;
    --dry-run) dry=true ;;
    -h | --help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) die "gpu_check" "unknown argument '$1'" "see scripts/gpu_check.sh --help" ;;
  esac
  shift
done

if [ -x "$PWD/aha" ]; then # a package
  aha=$PWD/aha tests=$PWD/tests
  program() { echo "$tests/$1"; }
else
  aha=$build/aha
  export AHA_CUDA_LIBRARY=$build/libaha_cuda.so
  program() { find "$build/tests" -type f -name "$1" -perm -u+x | head -n 1; }
fi
[ -x "$aha" ] || die "gpu_check" "$aha is not there" "run scripts/build.sh --tests, or start this from a package"
toy=(train configs/countdown_aha.yaml --set stages.warm_start.train.max_steps=200 --set stages.grpo.train.max_steps=10)

names=() limits=() commands=()
part() { names+=("$1"); limits+=("$2"); commands+=("$3"); } # NAME SECONDS COMMAND
part machine 30 "nvidia-smi --query-gpu=name,driver_version,memory.total,compute_cap,clocks.max.sm --format=csv,noheader && $aha --version"
part kernels 120 "$(program test_cuda)"
part step 120 "$(program test_run_on_gpu)"
part cpu_job 90 "$aha ${toy[*]} --set output_dir=$out/cpu"
part gpu_job 90 "$aha ${toy[*]} --set output_dir=$out/gpu --set device=cuda"

if $dry; then
  for i in "${!names[@]}"; do printf '%-10s %4d s at most   %s\n' "${names[i]}" "${limits[i]}" "${commands[i]}"; done
  exit 0
fi
nvidia-smi -L >/dev/null 2>&1 || { say "gpu_check: no GPU here (nvidia-smi -L finds none)"; exit 77; }

mkdir -p "$out" || die "gpu_check" "$out cannot be made" "name another folder by --out"
rm -rf "${out:?}"/{cpu,gpu}
failed=0 rows=()
printf '%-10s %-10s %8s   %s\n' part outcome seconds 'last line'
for i in "${!names[@]}"; do
  log=$out/${names[i]}.log started=$EPOCHREALTIME
  timeout "${limits[i]}" bash -c "${commands[i]}" >"$log" 2>&1 </dev/null
  code=$? seconds=$(awk "BEGIN { printf \"%.1f\", $EPOCHREALTIME - $started }")
  grep -q 'skipped: no GPU' "$log" && code=77
  case $code in 77) outcome="not run" ;; 0) outcome=passed ;; 124) outcome="timed out" ;; *) outcome="failed ($code)" ;; esac
  last=$(grep -v '^[=~ -]*$' "$log" | tail -n 1 | tr -d '"\\' | tr -cd '[:print:]' | cut -c1-120)
  [ $code = 0 ] || failed=1
  printf '%-10s %-10s %8.1f   %s\n' "${names[i]}" "$outcome" "$seconds" "$last"
  rows+=("{\"part\": \"${names[i]}\", \"exit_code\": $code, \"seconds\": $seconds, \"last_line\": \"$last\"}")
done
{ echo '['; printf '%s\n' "${rows[@]}" | sed '$!s/$/,/'; echo ']'; } >"$out/results.json"
say "gpu_check: logs and results.json are in $out"
exit $failed
