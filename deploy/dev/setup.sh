#!/usr/bin/env bash
# Installs the Debian packages that Recount needs, where they are missing, and checks Swift.
#
#   deploy/dev/setup.sh
#
# Root, or a user with passwordless sudo, gets them installed. Anyone else is told the exact
# command to have them installed, and the script fails.
set -euo pipefail

packages=(
  # what the C libraries' doors are built against
  libnghttp2-dev libprotobuf-c-dev libcurl4-openssl-dev libpq-dev libssl-dev
  # what generates code from Protos/
  protobuf-compiler protobuf-c-compiler protobuf-compiler-grpc
  # the database of tests, demo and local stack
  postgresql
  # the stock client of demo and conformance tests
  python3 python3-grpcio python3-protobuf python3-grpc-tools
  # the tokenizer's references, in an environment of their own
  python3-venv
  # the rest
  ca-certificates git make pkg-config procps util-linux
)

swift_least=6.3

missing() {
  local name
  for name in "${packages[@]}"; do
    case "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null || true)" in
      installed) ;;
      *) echo "$name" ;;
    esac
  done
}

# Debian starts a cluster named main when PostgreSQL is installed, unless it is told not to.
forbid_main_cluster() {
  local conf=/etc/postgresql-common/createcluster.conf
  "$@" apt-get install -y -qq --no-install-recommends postgresql-common >/dev/null
  "$@" sed -i 's/^#\? *create_main_cluster *=.*/create_main_cluster = false/' "$conf"
}

install() {
  echo "setup: installing $*"
  local as_root=(env DEBIAN_FRONTEND=noninteractive)
  [ "$(id -u)" = 0 ] || as_root=(sudo -n env DEBIAN_FRONTEND=noninteractive)
  "${as_root[@]}" apt-get update -qq </dev/null
  case " $* " in
    *" postgresql "*) forbid_main_cluster "${as_root[@]}" </dev/null ;;
  esac
  "${as_root[@]}" apt-get install -y -qq --no-install-recommends "$@" </dev/null >/dev/null
}

if ! command -v dpkg-query >/dev/null; then
  echo "setup: this is not Debian; have the equivalents of: ${packages[*]}" >&2
  exit 1
fi

mapfile -t wanted < <(missing)
if [ "${#wanted[@]}" -gt 0 ]; then
  if [ "$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null; then
    {
      echo "setup: Debian packages are missing, and this user may not install them. Have run:"
      echo "  sudo apt-get install -y --no-install-recommends ${wanted[*]}"
    } >&2
    exit 1
  fi
  install "${wanted[@]}"
  mapfile -t wanted < <(missing)
  if [ "${#wanted[@]}" -gt 0 ]; then
    echo "setup: still missing after the installation: ${wanted[*]}" >&2
    exit 1
  fi
fi

if ! command -v swift >/dev/null; then
  echo "setup: there is no swift in PATH; install $swift_least or later from swift.org" >&2
  exit 1
fi
found=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9.]*\).*/\1/p' | head -n 1)
if [ "$(printf '%s\n%s\n' "$swift_least" "$found" | sort -V | head -n 1)" != "$swift_least" ]; then
  echo "setup: Swift $found is too old; install $swift_least or later from swift.org" >&2
  exit 1
fi
