#!/bin/sh
# Runs a command with its messages in a file, which are shown when it fails.   logged.sh FILE COMMAND...
log=$1
shift
"$@" >"$log" 2>&1 && exit 0
cat "$log" >&2
exit 1
