#!/usr/bin/env bash
# Sets everything up, builds the release preset and runs all tests; the last lines are ctest's summary.
#   tools/test.sh [ctest arguments]      for example: tools/test.sh -R ShardLog
set -euo pipefail
cd "$(dirname "$0")/.."

tools/setup.sh test package
cmake --preset release -DSLUICE_BUILD_TESTS=ON >build/configure.log 2>&1 || { cat build/configure.log >&2; exit 1; }
cmake --build --preset release
exec ctest --preset release "$@" </dev/null
