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
say "running the tests (about 7 min) ..."
exec ctest --test-dir "$build" --output-on-failure --no-tests=error "$@"
