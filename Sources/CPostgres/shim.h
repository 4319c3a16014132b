#pragma once
#include <libpq-fe.h>

// Swift cannot name a null function pointer of this type; the server's notices are not for us.
static inline void recount_pg_drop_notice(void *unused, const char *message) {
  (void)unused;
  (void)message;
}

/// Keeps libpq from writing notices to stderr, where they could carry text of a caller.
static inline void recount_pg_quiet(PGconn *connection) {
  PQsetNoticeProcessor(connection, recount_pg_drop_notice, (void *)0);
}

// Arrays of strings are awkward to build in Swift. What the caller's string says comes last and
// so overrides what we propose.
static const char *const recount_pg_keywords[] = {
    "connect_timeout", "application_name", "tcp_user_timeout", "dbname", (void *)0};

/// Begins to connect to what a connection string names, without waiting.
static inline PGconn *recount_pg_connect_start(const char *conninfo) {
  const char *const values[] = {"5", "recount", "10000", conninfo, (void *)0};
  return PQconnectStartParams(recount_pg_keywords, values, 1);
}

/// Connects to what a connection string names, and waits.
static inline PGconn *recount_pg_connect(const char *conninfo) {
  const char *const values[] = {"5", "recount", "10000", conninfo, (void *)0};
  return PQconnectdbParams(recount_pg_keywords, values, 1);
}
