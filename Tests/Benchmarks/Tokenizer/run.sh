#!/usr/bin/env bash
# Measures the tokenizer beside its peers, on one thread; see docs/tokenizer-benchmarks.md.
#
#   run.sh [--encoding cl100k_base] [--rounds 3]
#
# Installs the peers from the package index (see Tests/Fuzz/tokenizer/references.sh); without them
# it fails.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
export PYTHONDONTWRITEBYTECODE=1
python=$("$root/Tests/Fuzz/tokenizer/references.sh" tiktoken==0.14.0 tokenizers==0.23.3 \
  quicktok-v1==0.4.0 gigatoken==0.10.0 fastokens==0.3.5)
scratch=$root/.build-tokenizer
SWIFT_BACKTRACE=enable=no swift build --package-path "$here" --scratch-path "$scratch" \
  -c release -j 2 >&2
exec "$python" "$here/bench.py" --driver "$scratch/release/tokenizer-driver" \
  --folder "$scratch/corpora" "$@"
