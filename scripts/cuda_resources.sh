#!/usr/bin/env bash
# What each kernel takes of a GPU, as ptxas said when it was built.   scripts/cuda_resources.sh [BUILD FOLDER]
# Exits 1 when a kernel keeps anything in local memory: spills, or arrays that registers cannot hold.
build=${1:-$(dirname "$0")/../build}
logs=("$build"/trainer/kernels/cuda/*.cu.o.log)
[ -f "${logs[0]}" ] || { echo "$build has no CUDA objects: build aha_cuda first" >&2; exit 2; }
cat "${logs[@]}" | c++filt | awk '
  /Compiling entry function/ {
    name = $0; sub(/.*entry function ./, "", name); arch = name; sub(/.* for ./, "", arch); gsub(/[^a-z0-9_]/, "", arch)
    sub(/. for .*/, "", name); gsub(/aha::cuda::|\(anonymous namespace\)::|_GLOBAL__N__[0-9a-z_]*::/, "", name)
  }
  /bytes stack frame/ { stack = $1; stores = $5; loads = $9 }
  /Used [0-9]+ registers/ {
    match($0, /Used [0-9]+/); registers = substr($0, RSTART + 5, RLENGTH - 5)
    printf "%-7s %3d registers %4d stack %4d spilled  %s\n", arch, registers, stack, stores + loads, substr(name, 1, 80)
    kernels++
    if (stack + stores + loads > 0) { bad = 1; print "^ local memory" }
  }
  END { print kernels + 0 " kernels"; exit bad || kernels == 0 }'
