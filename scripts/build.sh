#!/usr/bin/env bash
# Builds build/aha.   scripts/build.sh [--tests] [TARGET...]
# AHA_BUILD_DIR: another build folder. AHA_CMAKE_ARGS: more arguments for CMake.
source "$(dirname "$0")/common.sh"
tests=OFF
targets=()
for argument in "$@"; do
  case $argument in
    --tests) tests=ON ;;
    -h | --help) sed -n '2,3s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) targets+=("$argument") ;;
  esac
done
if [ -z "${CXX:-}" ] && { ! command -v g++ >/dev/null || [ "$(g++ -dumpversion | cut -d. -f1)" -lt 12 ]; }; then
  export CXX=g++-12
fi
if [ ${#targets[@]} = 0 ]; then
  targets=(aha)
  [ $tests = ON ] && targets=(all)
fi
configure() {
  # shellcheck disable=SC2086
  cmake -G Ninja -S . -B "$build" -DCMAKE_BUILD_TYPE=Release -DAHA_TESTS=$tests ${AHA_CMAKE_ARGS:-}
}
step "configuring" "a few seconds" configure
expected="3 to 8 min"
[ "${targets[*]}" = all ] && expected="8 to 15 min"
step "building ${targets[*]}" "$expected on two cores the first time" ninja -C "$build" "${targets[@]}"
