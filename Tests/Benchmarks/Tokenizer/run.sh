#!/usr/bin/env bash
# Measures the tokenizer beside its peers, on one thread; see docs/tokenizer-benchmarks.md.
#
#   run.sh [--encoding cl100k_base] [--rounds 3]
#
# Installs the peers from the package index into .run/tokenizer-peers; without them it fails.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
peers="${RECOUNT_PEERS:-$root/.run/tokenizer-peers}"
if [[ ! -x $peers/bin/python ]]; then python3 -m venv "$peers"; fi
"$peers/bin/python" -c 'import tiktoken, quicktok, gigatoken, fastokens' 2>/dev/null \
  || "$peers/bin/pip" install --quiet tiktoken==0.14.0 tokenizers==0.23.3 \
    quicktok-v1==0.4.0 gigatoken==0.10.0 fastokens==0.3.5
SWIFT_BACKTRACE=enable=no swift build --package-path "$here" \
  --scratch-path "$root/.run/tokenizer-driver" -c release -j 2 >&2
exec "$peers/bin/python" "$here/bench.py" \
  --driver "$root/.run/tokenizer-driver/release/tokenizer-driver" \
  --folder "$root/.run/tokenizer-corpora" "$@"
