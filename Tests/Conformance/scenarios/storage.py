"""PostgreSQL goes away and comes back: typed errors meanwhile, nothing acknowledged is lost."""

import grpc

from kit import outage
from kit.client import Failure, ask, pb, refused, user


def _answered(call, request):
    """The answer; None while the storage is away."""
    try:
        return call(request)
    except grpc.RpcError as error:
        failure = Failure(error)
        assert failure.reason == "STORAGE_UNAVAILABLE", failure
        return None


def away_and_back(w):
    name = w.conversation()
    w.client.Append(pb.AppendRequest(conversation_id=name, messages=[user("kept")]))
    pid = w.server.pid
    append = pb.AppendRequest(
        conversation_id=name, messages=[user("later")], request_id=w.new_id("r"))
    settings = outage.stop(w.db)
    try:
        for call, request in (
                (w.client.Append, append), (w.client.Generate, ask(name, "too early")),
                (w.client.Get, pb.GetRequest(conversation_id=name)),
                (w.client.Create, pb.CreateRequest(model="gpt-4.1")),
                (w.client.GetUsage, pb.GetUsageRequest())):
            refused("UNAVAILABLE", "STORAGE_UNAVAILABLE", call, request)
    finally:
        outage.start(w.db, settings)
    w.wait(lambda: _answered(w.client.Append, append), seconds=20,
           what="Append does not work again")
    assert _answered(w.client.Append, append).replayed
    assert [message.text for message in w.messages(name)] == ["kept", "later"]
    # A lease that lapsed meanwhile is taken anew by the next heartbeat.
    w.wait(lambda: _answered(w.client.Generate, ask(name)), seconds=20,
           what="Generate does not work again")
    assert w.server.pid == pid and w.server.is_alive()


def away_while_the_relay_thinks(w):
    name = w.conversation()
    request = ask(name, "Costly.", request_id=w.new_id("r"))
    w.sim.hold()
    future = w.client.future("Generate", request)
    w.sim.wait_held()
    calls = len(w.sim.log())
    settings = outage.stop(w.db)
    try:
        w.sim.release()
        # The answer has come; it cannot be kept yet.
        assert future.exception(timeout=1.5) is not None
    except grpc.FutureTimeoutError:
        pass
    finally:
        outage.start(w.db, settings)

    def resolved():
        try:
            return w.client.Generate(request)
        except grpc.RpcError as error:
            failure = Failure(error)
            if failure.reason in ("STORAGE_UNAVAILABLE", "TURN_IN_PROGRESS"):
                return None
            assert failure.reason == "UPSTREAM_OUTCOME_UNKNOWN", failure
            return failure

    assert w.wait(resolved, seconds=40, what="the turn is not resolved")
    assert len(w.sim.log()) == calls, "asked the relay twice"
    w.client.Generate(ask(name, "And on."))
