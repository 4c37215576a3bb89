#!/usr/bin/env bash
# Makes dist/aha-VERSION, a folder that runs wherever glibc is 2.36 or later and LibTorch is at hand: the program and its
# private libraries, configurations, sample data, scripts, benches, and with AHA_CUDA the GPU's library and tests.   scripts/package.sh [--archive]
#   --archive    dist/aha-VERSION.tar.gz as well
# AHA_BUILD_DIR: another build folder.
source "$(dirname "$0")/common.sh"
archive=false
for argument in "$@"; do
  case $argument in
    --archive) archive=true ;;
    -h | --help) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) die "packaging" "unknown argument '$argument'" "run scripts/package.sh [--archive]" ;;
  esac
done
programs=(bench_kernels bench_storage bench_bandwidth)
tests=()
torch_version=$(sed -n 's/^torch_version=//p' scripts/setup.sh)
version=$(sed -n 's/.*kVersion.*"\([0-9.]*\)".*/\1/p' trainer/core/version.h)
target=$PWD/dist/aha-$version

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
command -v patchelf >/dev/null ||
  step "installing patchelf" "a few seconds" as_root apt-get install -y --no-install-recommends patchelf
scripts/setup.sh && scripts/build.sh --tests aha || exit 1
# what CMake settled on, whatever is on the PATH or was built here before
cuda=false
grep -qiE '^AHA_CUDA:[A-Z]+=(ON|TRUE|YES|Y|1)$' "$build/CMakeCache.txt" && cuda=true
if $cuda; then
  programs=(bench_gpu) tests=(test_cuda test_run_on_gpu) # each holds much of what aha is
  scripts/build.sh --tests aha_cuda || exit 1
fi
scripts/build.sh --tests "${programs[@]}" "${tests[@]}" || exit 1

# What a machine has of itself, or with LibTorch. All else that our binaries load travels with them.
given='^(linux-vdso|ld-linux.*|lib(c|m|dl|rt|util|pthread|resolv|gcc_s|stdc\+\+|gomp|torch.*|c10.*|cupti|cudart|cublas.*|nccl.*|cuda)(-.*)?)\.so'
libraries_of() { ldd "$@" 2>/dev/null | awk '$2 == "=>" && $3 ~ "^/" { print $1, $3 }' | sort -u | grep -vE "$given"; }

licence_of() { # PATH-OF-LIBRARY: the copyright file of its Debian package, which may know it without /usr
  local file package
  file=$(readlink -f "$1")
  package=$(dpkg -S "$file" "${file#/usr}" 2>/dev/null | cut -d: -f1 | head -n 1)
  [ -n "$package" ] && cp "/usr/share/doc/$package/copyright" "$part/licences/$package" ||
    { echo "error: no licence text of $1 was found" >&2; return 1; }
}

assemble() {
  local file name path
  part=$target.part
  rm -rf "$part" && mkdir -p "$part"/{bin,lib,licences,data,scripts/bench/peers,tests} || return 1
  cp "$build/aha" "$part/bin/aha" || return 1
  for name in "${programs[@]}" "${tests[@]}"; do
    file=$(find "$build" -type f -name "$name" -perm -u+x | head -n 1)
    cp "$file" "$part/bin/$name" || return 1
  done
  ! $cuda || cp "$build/libaha_cuda.so" "$part/bin/" || return 1 # where the program looks for it
  while read -r name path; do
    cp -L "$path" "$part/lib/$name" && licence_of "$path" || return 1
  done < <(libraries_of "$part"/bin/* "$part"/lib/*)
  strip --strip-unneeded "$part"/bin/* "$part"/lib/* || return 1
  for file in "$part"/bin/*; do patchelf --set-rpath '$ORIGIN/../lib' "$file" || return 1; done
  for file in "$part"/lib/*; do patchelf --set-rpath '$ORIGIN' "$file" || return 1; done
  for name in aha "${programs[@]}" "${tests[@]}"; do
    case $name in
      aha) path=$part/$name ;;
      bench_*) path=$part/scripts/bench/$name ;;
      *) path=$part/tests/$name ;;
    esac
    sed "s|@TORCH_VERSION@|$torch_version|; s|@PROGRAM@|$name|g" scripts/package/start.sh >"$path" && chmod 755 "$path" || return 1
  done
  cp -r configs LICENSE README.md CHANGELOG.md "$part/" && cp -r data/samples "$part/data/" &&
    cp scripts/{common,submit,gpu_check}.sh "$part/scripts/" && cp scripts/bench/peers/*.py "$part/scripts/bench/peers/" || return 1
  rm -rf "$target" && mv "$part" "$target"
}
step "assembling" "a few seconds" assemble

size=$(du -sm "$target" | cut -f1)
[ "$size" -lt 60 ] || die "packaging" "$target has $size MB, more than the 60 MB it is meant to have" "see du -a $target | sort -n | tail"
(cd / && LIBTORCH_ROOT=${LIBTORCH_ROOT:-$deps/libtorch/torch} "$target/aha" --version >/dev/null) || die "packaging" "$target/aha does not start" "see above"
say "$target: $size MB; copy it anywhere and run its ./aha"
if $archive; then
  tar -C dist -czf "$target.tar.gz" "aha-$version" || die "packaging" "$target.tar.gz cannot be written" "see above"
  say "$target.tar.gz: $(du -m "$target.tar.gz" | cut -f1) MB"
fi
