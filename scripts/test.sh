#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test.   scripts/test.sh [CTEST ARGUMENT...]
source "$(dirname "$0")/common.sh"
scripts/setup.sh || exit 1
scripts/build.sh --tests || exit 1
say "running the tests (about 5 min) ..."
exec ctest --test-dir "$build" --output-on-failure --no-tests=error "$@"
