#!/usr/bin/env bash
# A private PostgreSQL: data and socket in one folder, no TCP, no password, no trace.
#
#   deploy/dev/postgres.sh start DIR [--fast]   makes DIR, starts, prints the conninfo
#   deploy/dev/postgres.sh stop DIR             stops, removes DIR
#
# DIR must not exist and should stand directly under the temporary folder: as root the server
# runs as the user postgres, which cannot enter a private home or clone. Only that user (and
# root) may enter DIR, so trust on the socket lets nobody else in.
# --fast turns fsync off, for tests: they kill our processes, never the machine.
set -euo pipefail

fail() {
  echo "postgres: $*" >&2
  exit 1
}

bin=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
[ -n "$bin" ] || fail "PostgreSQL is not installed; run deploy/dev/setup.sh"

owner() {
  if [ "$(id -u)" = 0 ]; then
    (cd / && runuser -u postgres -- "$@")
  else
    "$@"
  fi
}

start() {
  local dir=$1 settings
  [ ! -e "$dir" ] || fail "$dir exists already"
  # A socket's path holds 107 bytes.
  [ "${#dir}" -le 80 ] || fail "$dir is too long a path for a socket"
  mkdir -m 0700 "$dir"
  [ "$(id -u)" != 0 ] || chown postgres: "$dir"
  settings="-c listen_addresses= -c unix_socket_directories=$dir -c max_connections=200"
  [ "${2:-}" != --fast ] || settings="$settings -c fsync=off -c full_page_writes=off"
  if ! owner "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 \
    --no-sync >"$dir.log" 2>&1 ||
    ! owner "$bin/pg_ctl" -D "$dir/data" -l "$dir/server.log" -w -t 60 -o "$settings" \
      start </dev/null >>"$dir.log" 2>&1; then
    cat "$dir.log" "$dir/server.log" >&2 2>/dev/null || true
    stop "$dir"
    exit 1
  fi
  rm -f "$dir.log"
  echo "host=$dir port=5432 user=postgres dbname=postgres"
}

stop() {
  local dir=$1
  if [ -f "$dir/data/postmaster.pid" ]; then
    owner "$bin/pg_ctl" -D "$dir/data" -w -t 30 -m fast stop >/dev/null 2>&1 ||
      owner "$bin/pg_ctl" -D "$dir/data" -w -t 30 -m immediate stop >/dev/null 2>&1 || true
  fi
  rm -rf "$dir" "$dir.log"
}

case "${1:-}" in
  start) start "${2:?DIR}" "${3:-}" ;;
  stop) stop "${2:?DIR}" ;;
  *) fail "usage: postgres.sh start|stop DIR" ;;
esac
