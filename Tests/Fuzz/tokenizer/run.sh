#!/usr/bin/env bash
# Differential fuzz of the tokenizer against tiktoken and tokenizers.
#
#   run.sh                 1,000,000 texts
#   run.sh --bounded       20,000 texts, for every change
#   run.sh --texts N --seed S
#
# Needs Python 3 and the package index once: the references are installed into .run/tokenizer-peers.
# If they cannot be installed the run fails and says so; it never passes without comparing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
peers="${RECOUNT_PEERS:-$root/.run/tokenizer-peers}"
options=()
for option in "$@"; do
  if [[ $option == --bounded ]]; then options+=(--texts 20000); else options+=("$option"); fi
done
if [[ -n ${RECOUNT_TEST_SEED:-} ]]; then options+=(--seed "$RECOUNT_TEST_SEED"); fi

if [[ ! -x $peers/bin/python ]]; then python3 -m venv "$peers"; fi
if ! "$peers/bin/python" -c 'import tiktoken, tokenizers' 2>/dev/null; then
  if ! "$peers/bin/pip" install --quiet tiktoken==0.14.0 tokenizers==0.23.3; then
    echo "tokenizer fuzz: the reference engines cannot be installed; nothing was compared" >&2
    exit 1
  fi
fi
package="$root/Tests/Benchmarks/Tokenizer"
SWIFT_BACKTRACE=enable=no swift build --package-path "$package" \
  --scratch-path "$root/.run/tokenizer-driver" -c release -j 2 >&2
exec "$peers/bin/python" "$here/fuzz.py" \
  --driver "$root/.run/tokenizer-driver/release/tokenizer-driver" "${options[@]}"
