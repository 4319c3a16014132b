"""Two servers on one database, a frozen owner, storms of deadlines and repeats."""

import os
import random
import signal
import time

import grpc

from kit.client import Client, Failure, ask, pb


def _status(w, field):
    with open(f"/proc/{w.server.pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field))


def a_frozen_owner_comes_back_late(w):
    """Its turn was resolved meanwhile; the truth is booked beside a correction."""
    w.restart(RECOUNT_LEASE_SECONDS="1")
    name = w.conversation()
    second = w.second_server(RECOUNT_LEASE_SECONDS="1")
    other = Client(second, w.key)
    w.sim.hold()
    request = ask(name, "Who?", request_id=w.new_id("r"))
    future = w.client.future("Generate", request, timeout=60)
    w.sim.wait_held()
    w.server.tell(signal.SIGSTOP)

    def resolved():
        try:
            other.Generate(request)
        except grpc.RpcError as error:
            failure = Failure(error)
            return failure if failure.reason != "TURN_IN_PROGRESS" else None

    failure = w.wait(resolved, seconds=15, what="the other server's reaper resolved nothing")
    assert failure.reason == "UPSTREAM_OUTCOME_UNKNOWN", failure
    w.sim.release()
    before = len(w.sim.log())
    again = other.Generate(ask(name, "Again."))
    assert len(w.sim.log()) == before + 1
    w.server.tell(signal.SIGCONT)
    late = Failure(future.exception(timeout=30))
    assert late.reason == "UPSTREAM_OUTCOME_UNKNOWN", late
    assert late.metadata["generation_id"] == failure.metadata["generation_id"]
    rows = w.db.query(
        "SELECT kind FROM usage_event WHERE generation_id = "
        f"'{failure.metadata['generation_id']}' ORDER BY kind")
    assert [row[0] for row in rows] == ["correction", "generate", "unknown"], rows
    usage = other.GetUsage(pb.GetUsageRequest(conversation_id=name)).total
    assert (usage.requests, usage.attempts) == (2, 2), usage
    assert [m.text for m in w.messages(name) if m.state == pb.MESSAGE_STATE_ACTIVE] == [
        "Again.", again.message.text]
    other.close()
    w.end_second()
    w.restart()


def one_request_id_from_many_clients(w):
    name = w.conversation()
    w.sim.script(default={"latency_ms": 200})
    request = ask(name, request_id=w.new_id("r"))
    clients = [Client(w.address, w.key) for _ in range(20)]
    before = len(w.sim.log())
    futures = [client.future("Generate", request) for client in clients for _ in range(5)]
    answers, refusals = [], []
    for future in futures:
        error = future.exception(timeout=30)
        if error is None:
            answers.append(future.result())
        else:
            refusals.append(Failure(error).reason)
    assert len(w.sim.log()) == before + 1
    assert set(refusals) <= {"TURN_IN_PROGRESS"} and len(answers) >= 1
    assert len({a.generation_id for a in answers}) == 1
    assert clients[0].Generate(request).replayed
    for client in clients:
        client.close()


def short_deadlines_leave_nothing_behind(w):
    w.sim.script(default={"latency_ms": 30})
    names = [w.conversation() for _ in range(20)]
    for _ in range(2):
        _storm(w, names, 100)
    w.wait(lambda: _idle(w, names), seconds=20, what="turns were left running")
    memory, files = _status(w, "VmRSS"), _files(w)
    for _ in range(4):
        _storm(w, names, 100)
    w.wait(lambda: _idle(w, names), seconds=20, what="turns were left running")
    assert _files(w) <= files + 8, (_files(w), files)
    assert _status(w, "VmRSS") < memory * 1.5 + 20_000, (_status(w, "VmRSS"), memory)
    assert w.client.Generate(ask(names[0])).message.text


def _storm(w, names, count):
    client = Client(w.address, w.key)
    futures = [client.future("Generate", ask(random.choice(names), "x" * 2000),
                             timeout=random.uniform(0.001, 0.08)) for _ in range(count)]
    for future in futures[::3]:
        future.cancel()
    for future in futures:
        try:
            future.exception(timeout=20)
        except grpc.FutureCancelledError:
            pass
    client.close()


def _idle(w, names):
    return all(not w.client.Get(pb.GetRequest(conversation_id=name)).conversation
               .HasField("running_generation_id") for name in names)


def _files(w):
    return len(os.listdir(f"/proc/{w.server.pid}/fd"))


def turns_end_when_the_server_is_told_to(w):
    """Many turns at once while SIGTERM comes: each ends with an answer or a typed error."""
    names = [w.conversation() for _ in range(60)]
    w.sim.script(default={"latency_ms": 300})
    futures = [w.client.future("Generate", ask(name), timeout=40) for name in names]
    time.sleep(0.15)
    w.server.tell(signal.SIGTERM)
    good = 0
    for future in futures:
        error = future.exception(timeout=40)
        assert error is None or error.code() == grpc.StatusCode.UNAVAILABLE, error
        good += error is None
    assert w.server.exit_code(40) == 0
    w.client.close()
    w.serve()
    assert good > 0
    for name in names:
        messages = w.messages(name)
        assert len(messages) in (0, 2), [message.text for message in messages]
