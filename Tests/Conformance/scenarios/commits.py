"""256 concurrent Appends share commits: at most an eighth as many."""

import time

from kit.client import Client, pb, user

CALLS = 256


def _commits(w):
    """Committed transactions of the database, once the count has come to rest."""
    before = None
    while True:
        count = int(w.db.query(
            "SELECT pg_stat_force_next_flush(); SELECT xact_commit FROM pg_stat_database "
            "WHERE datname = 'recount'")[-1][0])
        # Each look is itself a commit; PostgreSQL tells its figures at most once a second.
        if before is not None and count - before <= 3:
            return count
        before = count
        time.sleep(1.2)


def appends_share_commits(w):
    names = [w.conversation() for _ in range(CALLS)]
    clients = [Client(w.address, w.key) for _ in range(4)]
    for client in clients:
        client.GetUsage(pb.GetUsageRequest())
    before = _commits(w)
    futures = [clients[n % 4].future("Append", pb.AppendRequest(
        conversation_id=name, messages=[user("x")])) for n, name in enumerate(names)]
    for future in futures:
        assert future.result(timeout=20).last_seq == 1
    made = _commits(w) - before
    assert made <= CALLS // 8, f"{made} commits for {CALLS} appends"
    for client in clients:
        client.close()
