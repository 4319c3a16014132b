"""One turn at a time; deadline and cancellation end the wait, not the generation."""

import grpc

from kit.client import Client, Failure, ask, pb, refused, user


def two_clients_race(w):
    name = w.conversation()
    one, two = Client(w.address, w.key), Client(w.address, w.new_key())
    w.sim.hold()
    futures = [client.future("Generate", ask(name, f"from {n}"))
               for n, client in enumerate((one, two))]
    w.sim.wait_held()
    loser = w.wait(lambda: next((f for f in futures if f.done()), None))
    w.sim.release()
    winner = next(future for future in futures if future is not loser)
    failure = Failure(loser.exception())
    assert (failure.code.name, failure.reason) == ("ABORTED", "TURN_IN_PROGRESS"), failure
    assert failure.metadata["generation_id"] == winner.result(timeout=20).generation_id
    assert len(w.messages(name)) == 2
    for client in (one, two):
        client.close()


def many_race(w):
    name = w.conversation()
    w.sim.script(default={"latency_ms": 150})
    before = len(w.sim.log())
    futures = [w.client.future("Generate", ask(name, f"{n}")) for n in range(16)]
    won, lost = [], []
    for future in futures:
        error = future.exception(timeout=20)
        if error is None:
            won.append(future.result())
        else:
            lost.append(Failure(error))
    assert won and len(w.sim.log()) - before == len(won)
    ids = {answer.generation_id for answer in won}
    for failure in lost:
        assert failure.reason == "TURN_IN_PROGRESS", failure
        assert failure.metadata["generation_id"] in ids, failure
    assert len(w.messages(name)) == 2 * len(won)


def meanwhile_nothing_is_appended(w):
    name = w.conversation()
    w.sim.hold()
    future = w.client.future("Generate", ask(name))
    w.sim.wait_held()
    running = w.client.Get(pb.GetRequest(conversation_id=name)).conversation.running_generation_id
    failure = refused("ABORTED", "TURN_IN_PROGRESS", w.client.Append,
                      pb.AppendRequest(conversation_id=name, messages=[user("too early")]))
    assert running and failure.metadata["generation_id"] == running
    assert [message.text for message in w.messages(name)] == ["Hello?"]
    w.sim.release()
    assert future.result(timeout=20).generation_id == running
    found = w.client.Get(pb.GetRequest(conversation_id=name)).conversation
    assert not found.HasField("running_generation_id")
    w.client.Append(pb.AppendRequest(conversation_id=name, messages=[user("now")]))


def _drained(w, name):
    """Waits until the turn whose caller has gone is over; its answer."""
    found = w.wait(lambda: [m for m in w.messages(name) if m.role == pb.ROLE_ASSISTANT])
    usage = w.client.GetUsage(pb.GetUsageRequest(conversation_id=name)).total
    assert usage.requests == 1 and usage.total_tokens > 0, usage
    w.client.Generate(ask(name, "Still there?"))
    return found[0]


def a_cancelled_call_is_drained(w):
    name, request_id = w.conversation(), w.new_id("r")
    w.sim.hold()
    future = w.client.future("Generate", ask(name, request_id=request_id))
    w.sim.wait_held()
    future.cancel()
    w.sim.release()
    kept = _drained(w, name)
    again = w.client.Generate(ask(name, request_id=request_id))
    assert again.replayed and again.message.text == kept.text


def a_deadline_ends_the_wait(w):
    name = w.conversation()
    w.sim.hold()
    try:
        w.client.Generate(ask(name), timeout=0.4)
        raise AssertionError("the deadline passed unnoticed")
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED, error
    w.sim.release()
    _drained(w, name)


def a_caller_that_breaks_off_is_drained(w):
    name = w.conversation()
    gone = Client(w.address, w.key)
    w.sim.hold()
    gone.future("Generate", ask(name))
    w.sim.wait_held()
    gone.close()
    w.sim.release()
    _drained(w, name)


def the_policy_may_cancel_what_nobody_waits_for(w):
    policy = pb.Policy(vanished_client=pb.VanishedClient(action=pb.VANISHED_CLIENT_ACTION_CANCEL))
    name = w.conversation(policy=policy)
    request = ask(name, request_id=w.new_id("r"))
    w.sim.hold()
    future = w.client.future("Generate", request)
    w.sim.wait_held()
    future.cancel()
    w.wait(lambda: not w.client.Get(pb.GetRequest(conversation_id=name)).conversation.HasField(
        "running_generation_id"), what="the turn was not cancelled")
    calls = len(w.sim.log())
    w.sim.release()
    failure = refused("ABORTED", "GENERATION_STOPPED", w.client.Generate, request)
    assert failure.metadata["generation_id"] and len(w.sim.log()) == calls
    usage = w.client.GetUsage(pb.GetUsageRequest(conversation_id=name)).total
    assert usage.requests == 1 and usage.total_tokens > 0, "the relay may have billed it"
    assert "messages: 1" in w.client.Generate(ask(name)).message.text
