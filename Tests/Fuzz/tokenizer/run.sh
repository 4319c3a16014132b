#!/usr/bin/env bash
# Differential fuzz of the tokenizer against tiktoken and tokenizers. Prints the seed.
#
#   run.sh                     1,000,000 texts, by a release build of the module
#   run.sh --bounded           20,000 texts, by the `recount` that is already built
#   run.sh --texts N --seed S  (RECOUNT_TEST_SEED also sets the seed)
#
# RECOUNT_BIN is the folder of the built programs (.build/debug). The references come from the
# Python package index into a virtual environment outside the clone, once; RECOUNT_PEERS names
# another folder for it. Where they cannot be had, the whole run fails; the bounded one says
# SKIPPED on standard error and ends well, so that a machine without the index can still test.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
export PYTHONDONTWRITEBYTECODE=1

bounded=
options=()
for option in "$@"; do
  if [[ $option == --bounded ]]; then
    bounded=1
    options+=(--texts 20000)
  else
    options+=("$option")
  fi
done
if [[ -n ${RECOUNT_TEST_SEED:-} ]]; then options+=(--seed "$RECOUNT_TEST_SEED"); fi

if ! python=$("$here/references.sh" tiktoken==0.14.0 tokenizers==0.23.3); then
  if [[ -z $bounded ]]; then
    echo "tokenizer fuzz: the reference engines cannot be installed; nothing was compared" >&2
    exit 1
  fi
  echo "tokenizer fuzz: SKIPPED, NOTHING WAS COMPARED: no reference engines (see above)" >&2
  exit 0
fi

if [[ -n $bounded ]]; then
  program=${RECOUNT_BIN:-$root/.build/debug}/recount
  if [[ ! -x $program ]]; then
    echo "tokenizer fuzz: no $program; build it, or set RECOUNT_BIN" >&2
    exit 1
  fi
  exec "$python" "$here/fuzz.py" --recount "$program" "${options[@]}"
fi
scratch=$root/.build-tokenizer
SWIFT_BACKTRACE=enable=no swift build --package-path "$root/Tests/Benchmarks/Tokenizer" \
  --scratch-path "$scratch" -c release -j 2 >&2
exec "$python" "$here/fuzz.py" --driver "$scratch/release/tokenizer-driver" "${options[@]}"
