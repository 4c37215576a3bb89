#!/bin/sh
# Starts @PROGRAM@ with the LibTorch of this machine: LIBTORCH_ROOT, or the torch package of the active Python.
# AHA_VERBOSE=1 says which was found.
torch_wanted=@TORCH_VERSION@
glibc_wanted=2.36

stop() { printf 'aha: %s; %s\n' "$1" "$2" >&2; exit 2; }

file=$0
while [ -L "$file" ]; do
  target=$(readlink "$file")
  case $target in /*) file=$target ;; *) file=$(dirname "$file")/$target ;; esac
done
root=$(cd "$(dirname "$file")" && pwd -P) || exit 2
while [ ! -x "$root/bin/aha" ]; do root=$(dirname "$root"); done

glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null | cut -d' ' -f2)
[ "$(printf '%s\n' "$glibc_wanted" "${glibc:-0}" | sort -V | head -n 1)" = "$glibc_wanted" ] ||
  stop "this system has glibc ${glibc:-of another kind}; this package needs $glibc_wanted or later" "build aha here: ./scripts/quickstart.sh"

python_torch() { # the package's folder, without importing it, which takes seconds
  "$1" -c 'import importlib.util as u, os
spec = u.find_spec("torch")
print(os.path.dirname(spec.origin) if spec and spec.origin else "")' 2>/dev/null
}
torch=${LIBTORCH_ROOT:-} from=LIBTORCH_ROOT
if [ -z "$torch" ]; then
  from='there is no Python'
  for python in python3 python; do
    command -v "$python" >/dev/null || continue
    from=$(command -v "$python") torch=$(python_torch "$python")
    [ -z "$torch" ] || break
  done
  [ -n "$torch" ] || stop "no LibTorch ($from has no torch)" \
    "activate a Python with torch $torch_wanted (pip install torch==$torch_wanted), or set LIBTORCH_ROOT"
fi
[ -f "$torch/lib/libtorch_cpu.so" ] || stop "no LibTorch in $torch ($from): lib/libtorch_cpu.so is missing" \
  "set LIBTORCH_ROOT to a folder like site-packages/torch"
found=$(sed -n "s/^__version__ = ['\"]\([0-9.]*[0-9]\).*/\1/p" "$torch/version.py" 2>/dev/null)
[ -n "$found" ] || found=$(sed 's/+.*//' "$torch/build-version" 2>/dev/null)
[ "$found" = "$torch_wanted" ] || stop "LibTorch in $torch ($from) is ${found:-of unknown version}, aha is built for $torch_wanted" \
  "install torch==$torch_wanted, or set LIBTORCH_ROOT to one"
grep -q __cxx11 "$torch/lib/libc10.so" || stop "LibTorch in $torch ($from) has the old C++ ABI" "use the wheel of torch $torch_wanted"

[ "${AHA_VERBOSE:-0}" = 0 ] || printf 'aha: LibTorch %s in %s (%s)\n' "$found" "$torch" "$from" >&2
AHA_OUTER_LIBRARY_PATH=${LD_LIBRARY_PATH:-} # for the programs that aha runs
nvidia=$torch/../nvidia # cuBLAS and NCCL
LD_LIBRARY_PATH=$torch/lib:$nvidia/cu13/lib:$nvidia/nccl/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
AHA_CUDA_LIBRARY=${AHA_CUDA_LIBRARY:-$root/bin/libaha_cuda.so}
export LD_LIBRARY_PATH AHA_CUDA_LIBRARY AHA_OUTER_LIBRARY_PATH
exec "$root/bin/@PROGRAM@" "$@"
