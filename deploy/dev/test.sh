#!/usr/bin/env bash
# Everything that `make test` runs after the set-up: one debug build, the checks, all tests
# against a private PostgreSQL. Leaves nothing running, however it ends.
set -euo pipefail
cd "$(dirname "$0")/../.."
export SWIFT_BACKTRACE=enable=no

temporary=$(mktemp -d "${TMPDIR:-/tmp}/recount-XXXXXX")
finish() {
  deploy/dev/postgres.sh stop "$temporary.pg"
  rm -rf "$temporary"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

echo "test: check"
deploy/dev/check.sh

echo "test: build"
swift build --build-tests

echo "test: private PostgreSQL"
RECOUNT_TEST_PG=$(deploy/dev/postgres.sh start "$temporary.pg" --fast)
export RECOUNT_TEST_PG

echo "test: Swift tests"
swift test --skip-build

echo "test: tokenizer beside its references"
RECOUNT_BIN=$(swift build --show-bin-path) Tests/Fuzz/tokenizer/run.sh --bounded

echo "test: conformance"
RECOUNT_BIN=$(swift build --show-bin-path) Tests/Conformance/run.py
echo "test: all passed"
