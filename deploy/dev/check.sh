#!/usr/bin/env bash
# What needs no build: formatting, tidy rules, scripts that parse, generated code that is current.
set -euo pipefail
cd "$(dirname "$0")/../.."

mapfile -d '' -t swift_files < <(
  git ls-files -z --cached --others --exclude-standard -- '*.swift')
swift format lint --strict --configuration .swift-format "${swift_files[@]}"

mapfile -d '' -t scripts < <(
  git ls-files -z --cached --others --exclude-standard -- '*.sh' .ci/run)
for script in "${scripts[@]}"; do
  bash -n "$script"
done

/usr/bin/python3 deploy/dev/tidy.py

/usr/bin/python3 deploy/dev/generate-protos.py --check
/usr/bin/python3 deploy/dev/check-protos.py
echo "check: all passed"
