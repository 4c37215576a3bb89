#!/usr/bin/env bash
# Builds the fuzz targets with clang, ASan and UBSan and runs them one after the other.   scripts/fuzz.sh [SECONDS] [TARGET...]
# 60 seconds each unless said otherwise. New inputs are kept in build-fuzz/corpus/TARGET, what fails in build-fuzz/TARGET-*.
# AHA_FUZZ_DIR: another build folder.
source "$(dirname "$0")/common.sh"
case ${1:-} in -h | --help) sed -n '2,4s/^# \{0,1\}//p' "$0"; exit 0 ;; esac
seconds=60
if [[ ${1:-} =~ ^[0-9]+$ ]]; then seconds=$1; shift; fi
folder=${AHA_FUZZ_DIR:-build-fuzz}
targets=("$@")
[ ${#targets[@]} = 0 ] && targets=(math extraction format countdown jsonl config safetensors gguf tokenizer template)
clang=$(command -v clang++ || command -v clang++-14) || die "fuzz" "clang++ is not there" "apt-get install clang libclang-rt-14-dev"
configure() {
  CC=${clang/clang++/clang} CXX=$clang cmake -G Ninja -S . -B "$folder" -DAHA_FUZZ=ON -DAHA_TESTS=OFF
}
step "configuring" "a few seconds" configure
step "building ${#targets[@]} fuzz targets" "some minutes the first time" ninja -C "$folder" "${targets[@]/#/fuzz_}"
for target in "${targets[@]}"; do
  mkdir -p "$folder/corpus/$target"
  words=()
  [ -f "tests/fuzz/words/$target.txt" ] && words=("-dict=tests/fuzz/words/$target.txt")
  say "fuzzing $target for $seconds s"
  "$folder/tests/fuzz/fuzz_$target" -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$folder/$target-" "${words[@]}" "$folder/corpus/$target" "tests/fuzz/seeds/$target" 2>&1 | tail -20
  [ "${PIPESTATUS[0]}" = 0 ] || die "fuzz" "$target failed" "the input is in $folder/$target-*"
done
