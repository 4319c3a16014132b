"""256 concurrent Appends share commits: at most an eighth as many."""

import time

from kit.client import Client, pb, user

CALLS = 256


def _commits(w, work):
    """Commits of the database during the life of a server that makes conversations, then works.

    A backend tells its figures when it pleases, but always when it ends.
    """
    w.end_server()
    before = _count(w)
    w.serve()
    work([w.conversation() for _ in range(CALLS)])
    w.end_server()
    made = _count(w) - before
    w.serve()
    return made


def _count(w):
    time.sleep(0.2)
    return int(w.db.query(
        "SELECT xact_commit FROM pg_stat_database WHERE datname = 'recount'")[0][0])


def appends_share_commits(w):
    def append(names):
        clients = [Client(w.address, w.key) for _ in range(4)]
        for client in clients:
            client.GetUsage(pb.GetUsageRequest())
        futures = [clients[n % 4].future("Append", pb.AppendRequest(
            conversation_id=name, messages=[user("x")])) for n, name in enumerate(names)]
        for future in futures:
            assert future.result(timeout=20).last_seq == 1
        for client in clients:
            client.close()

    def idle(_):
        for _ in range(4):
            w.client.GetUsage(pb.GetUsageRequest())
        time.sleep(0.2)

    noise = _commits(w, idle)
    made = _commits(w, append) - noise
    assert made <= CALLS // 8, f"{made} commits for {CALLS} appends, beside {noise} of any server"
    assert made >= 1, f"{made} commits: the figures are not to be trusted"
