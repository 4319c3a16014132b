#!/usr/bin/env bash
# Has Python packages ready in a virtual environment outside the clone; prints its interpreter.
#
#   references.sh NAME==VERSION...
#
# Only prebuilt packages, from the package index that pip is set to, and only what is missing. The
# folder is RECOUNT_PEERS, else recount/tokenizer-peers in the user's cache; runs side by side wait
# for each other. Fails, and says why, if the environment or a package cannot be had.
set -euo pipefail
cache=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}
peers=${RECOUNT_PEERS:-$cache/recount/tokenizer-peers}

if ! mkdir -p "$peers"; then
  echo "references: no folder $peers; set RECOUNT_PEERS" >&2
  exit 1
fi
exec 9>"$peers/.lock"
flock 9

python=$peers/venv/bin/python
held() {
  local wanted=("$@")
  "$python" - "${wanted[@]}" <<'PY' 2>/dev/null
import importlib.metadata, sys
for item in sys.argv[1:]:
    name, version = item.split("==")
    if importlib.metadata.version(name) != version:
        sys.exit(1)
PY
}

if ! held "$@"; then
  # An environment that was half made, or whose interpreter is gone, is made anew.
  if ! "$python" -m pip --version >/dev/null 2>&1; then
    if ! python3 -m venv --clear "$peers/venv" >&2; then
      echo "references: python3 -m venv failed (on Debian it needs python3-venv)" >&2
      exit 1
    fi
  fi
  # Short patience: a machine without the index should learn it in seconds.
  if ! timeout 300 "$python" -m pip install --quiet --disable-pip-version-check --timeout 10 \
    --retries 1 --only-binary :all: "$@" >&2; then
    echo "references: cannot install $*" >&2
    exit 1
  fi
fi
echo "$python"
