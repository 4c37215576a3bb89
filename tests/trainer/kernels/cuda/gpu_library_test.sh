#!/bin/sh
# gpu_library_test.sh TEST_CUDA: where there is a driver that does not work, the GPU's tests fail and are not skipped. Exits 77
# (skipped) where one may not have a /dev of one's own, or the program would be hidden by it.
[ $# = 1 ] || exit 2
case $1 in /dev/*) exit 77 ;; esac
unshare -rm sh -c 'mount -t tmpfs none /dev && : >/dev/nvidiactl' || exit 77
if shown=$(unshare -rm sh -c 'mount -t tmpfs none /dev && : >/dev/nvidiactl && exec "$0"' "$1" 2>&1); then
  echo "$shown" && echo "the tests passed without a GPU" && exit 1
fi
case $shown in *skipped*) echo "$shown" && exit 1 ;; *device:*) echo passed ;; *) echo "$shown" && exit 1 ;; esac
