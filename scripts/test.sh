#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test.   scripts/test.sh [CTEST ARGUMENT...]
source "$(dirname "$0")/common.sh"
scripts/setup.sh || exit 1
scripts/build.sh --tests || exit 1
# the report is looked at in a browser where one is to be had without asking; Ubuntu's package is a snap, which containers lack
if ! command -v chromium >/dev/null && [ "$(id -u)" = 0 ] && grep -qs '^ID=debian' /etc/os-release; then
  say "installing chromium for the report's test (about 1 min) ..."
  DEBIAN_FRONTEND=noninteractive timeout 240 apt-get install -y --no-install-recommends chromium >/dev/null 2>&1 ||
    say "no chromium: the test report_page will be skipped"
fi
say "running the tests (about 8 min) ..."
# two at once of those that leave room for another
ctest --test-dir "$build" --output-on-failure --no-tests=error --parallel 2 "$@" && exit 0
status=$?
# a program that the system had no memory to load is not a test that failed; those alone are started once more
logs=$build/Testing/Temporary
unloaded=$(grep -sc 'error while loading shared libraries: .*: Cannot allocate memory' "$logs/LastTest.log")
[ "${unloaded:-0}" -gt 0 ] && [ "$unloaded" = "$(grep -sc . "$logs/LastTestsFailed.log")" ] || exit $status
say "$unloaded could not be loaded for want of memory; once more ..."
exec ctest --test-dir "$build" --output-on-failure --rerun-failed
