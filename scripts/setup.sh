#!/usr/bin/env bash
# Installs what building needs: Debian/Ubuntu packages by apt, LibTorch from its wheel into .deps/.
#   scripts/setup.sh [--cuda | --cpu]
# --cuda (or nvcc on the PATH without --cpu): the full wheel with its CUDA libraries (2 min, 4.7 GB).
# otherwise:                                  what a CPU run needs (40 s, 1.3 GB).
# LIBTORCH_ROOT: use that LibTorch. AHA_DEPS_DIR: put downloads there and share them between clones.
# Does nothing when everything is there. Never asks.
source "$(dirname "$0")/common.sh"

kind=cpu
command -v nvcc >/dev/null && [ "${AHA_LIGHT:-}" = "" ] && kind=cuda
for argument in "$@"; do
  case $argument in
    --cuda) kind=cuda ;;
    --cpu) kind=cpu ;;
    -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) die "setup" "unknown argument '$argument'" "run scripts/setup.sh [--cuda | --cpu]" ;;
  esac
done

torch_version=2.11.0
packages=(cmake ninja-build pkg-config libyaml-cpp-dev libspdlog-dev libfmt-dev nlohmann-json3-dev
  libeigen3-dev libcli11-dev catch2 libpcre2-dev libutf8proc-dev libboost-dev libgloo-dev zlib1g-dev libseccomp-dev
  libcurl4-openssl-dev)
compiler_ok() { command -v "${CXX:-g++}" >/dev/null && [ "$("${CXX:-g++}" -dumpversion | cut -d. -f1)" -ge 12 ]; }
if ! compiler_ok; then
  if command -v g++ >/dev/null || ! apt-cache policy g++ 2>/dev/null | grep -qE 'Candidate: 4:1[2-9]'; then
    packages+=(g++-12)
  else
    packages+=(g++)
  fi
fi
command -v pip3 >/dev/null || python3 -m pip --version >/dev/null 2>&1 || packages+=(python3-pip)
command -v python3 >/dev/null || packages+=(python3)

installed() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }
missing=()
for package in "${packages[@]}"; do installed "$package" || missing+=("$package"); done
wished=() # faster builds where they can be had; not needed
for tool in ccache mold; do command -v $tool >/dev/null || wished+=("$tool"); done

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
apt_install() {
  export DEBIAN_FRONTEND=noninteractive
  as_root apt-get update || return 1
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" || return 1
  local tool
  for tool in "${wished[@]}"; do
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$tool" || true
  done
}
if [ ${#missing[@]} -gt 0 ]; then
  command -v apt-get >/dev/null || die "setup" "no apt-get here and ${missing[*]} missing" "install these packages by your system's means"
  [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null || die "setup" "packages are missing and there is no root or password-free sudo" "run: sudo apt-get install ${missing[*]}"
  step "installing ${#missing[@]} system packages" "about 30 s" apt_install
fi

if [ -n "${LIBTORCH_ROOT:-}" ]; then
  [ -f "$LIBTORCH_ROOT/include/ATen/core/Tensor.h" ] || die "setup" "LIBTORCH_ROOT=$LIBTORCH_ROOT holds no include/ATen" "point it at a LibTorch folder, or unset it"
  say "LibTorch: $LIBTORCH_ROOT (LIBTORCH_ROOT)"
  exit 0
fi

python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null ||
  die "setup" "$python is missing or older than 3.10, which LibTorch's wheel needs" "install Python 3.10 or later, or set PYTHON or LIBTORCH_ROOT"
have=$(cat "$deps/libtorch/aha_kind" 2>/dev/null || true)
if [ "$have" = "$torch_version cuda" ] || [ "$have" = "$torch_version $kind" ]; then
  exit 0
fi
# unpacks into a temporary folder first: an interrupted download leaves nothing half-done behind
unpack_torch() {
  local target=$deps/libtorch.part.$$ wheels=(torch==$torch_version)
  [ "$kind" = cpu ] && wheels=(--no-deps torch==$torch_version nvidia-cuda-runtime==13.0.96 nvidia-cuda-cupti==13.0.85)
  mkdir -p "$deps" && rm -rf "$target" &&
    "$python" -m pip install --disable-pip-version-check --no-cache-dir --target "$target" "${wheels[@]}" &&
    echo "$torch_version $kind" >"$target/aha_kind" && rm -rf "$deps/libtorch" && mv "$target" "$deps/libtorch"
}
if [ $kind = cuda ]; then expected="about 2 min, 4.7 GB"; else expected="about 40 s, 1.3 GB"; fi
step "fetching LibTorch $torch_version for $kind" "$expected" unpack_torch
