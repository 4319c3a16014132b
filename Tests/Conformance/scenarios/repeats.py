"""request_id: nothing is generated or billed twice."""

from kit.client import Client, ask, pb, refused, same, user


def _calls(w):
    return len(w.sim.log())


def a_repeat_returns_the_first_result(w):
    name, request_id = w.conversation(), w.new_id("r")
    before = _calls(w)
    first = w.client.Generate(ask(name, "Once.", request_id=request_id))
    for _ in range(3):
        again = w.client.Generate(ask(name, "Once.", request_id=request_id))
        assert again.replayed and not first.replayed
        assert same(again) == same(first), f"{again} is not {first}"
    assert _calls(w) == before + 1
    assert len(w.messages(name)) == 2
    usage = w.client.GetUsage(pb.GetUsageRequest(conversation_id=name)).total
    assert (usage.requests, usage.attempts) == (1, 1)


def another_payload_is_refused(w):
    name, request_id = w.conversation(), w.new_id("r")
    w.client.Generate(ask(name, "Once.", request_id=request_id))
    other = w.conversation()
    for request in (ask(name, "Twice.", request_id=request_id),
                    ask(other, "Once.", request_id=request_id),
                    ask(name, "Once.", request_id=request_id,
                        options=pb.GenerationOptions(max_tokens=9))):
        failure = refused("INVALID_ARGUMENT", "REQUEST_ID_REUSED", w.client.Generate, request)
        assert failure.metadata["request_id"] == request_id
    refused("INVALID_ARGUMENT", "REQUEST_ID_REUSED", w.client.Append, pb.AppendRequest(
        conversation_id=name, messages=[user("x")], request_id=request_id))


def a_repeat_of_a_running_turn(w):
    name, request_id = w.conversation(), w.new_id("r")
    before = _calls(w)
    w.sim.hold()
    request = ask(name, "Slowly.", request_id=request_id)
    future = w.client.future("Generate", request)
    w.sim.wait_held()
    failure = refused("ABORTED", "TURN_IN_PROGRESS", w.client.Generate, request)
    w.sim.release()
    first = future.result(timeout=20)
    assert failure.metadata["generation_id"] == first.generation_id
    again = w.client.Generate(request)
    assert again.replayed and again.generation_id == first.generation_id
    assert _calls(w) == before + 1


def a_failure_is_the_result_too(w):
    name, request_id = w.conversation(), w.new_id("r")
    w.sim.script({"status": 401, "error": {"message": "no", "code": "invalid_api_key"}})
    request = ask(name, "Fail.", request_id=request_id)
    first = refused("FAILED_PRECONDITION", "UPSTREAM_AUTH", w.client.Generate, request)
    before = _calls(w)
    again = refused("FAILED_PRECONDITION", "UPSTREAM_AUTH", w.client.Generate, request)
    assert again.metadata["generation_id"] == first.metadata["generation_id"]
    assert _calls(w) == before


def create_and_append_repeat(w):
    name, request_id = w.new_id(), w.new_id("r")
    request = pb.CreateRequest(
        conversation_id=name, model="gpt-4.1", message=user("x"), request_id=request_id)
    first, again = w.client.Create(request), w.client.Create(request)
    assert again.replayed and again.conversation.id == first.conversation.id == name
    nameless = pb.CreateRequest(model="gpt-4.1", request_id=w.new_id("r"))
    made = w.client.Create(nameless).conversation.id
    assert w.client.Create(nameless).conversation.id == made
    append = pb.AppendRequest(conversation_id=name, messages=[user("y"), user("z")],
                              request_id=w.new_id("r"))
    one, two = w.client.Append(append), w.client.Append(append)
    assert two.replayed and (one.first_seq, one.last_seq) == (two.first_seq, two.last_seq)
    assert len(w.messages(name)) == 3


def a_refusal_stores_nothing(w):
    name, request_id = w.conversation(), w.new_id("r")
    refused("ABORTED", "CONVERSATION_CHANGED", w.client.Generate,
            ask(name, "x", expected_last_seq=7, request_id=request_id))
    answer = w.client.Generate(ask(name, "another payload", request_id=request_id))
    assert not answer.replayed and not any(
        message.state == pb.MESSAGE_STATE_FAILED for message in w.messages(name))


def keys_have_request_ids_of_their_own(w):
    name, request_id = w.conversation(), w.new_id("r")
    other = Client(w.address, w.new_key())
    one = w.client.Generate(ask(name, "x", request_id=request_id))
    two = other.Generate(ask(name, "y", request_id=request_id))
    assert not two.replayed and one.generation_id != two.generation_id
    other.close()
