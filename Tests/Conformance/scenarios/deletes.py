"""Delete: a tombstone, and the end of a running turn."""

from kit.client import Failure, ask, pb, refused, user


def a_deleted_conversation_is_gone_and_its_id_taken(w):
    name = w.conversation()
    w.client.Append(pb.AppendRequest(conversation_id=name, messages=[user("x")]))
    answer = w.client.Delete(pb.DeleteRequest(conversation_id=name))
    assert not answer.HasField("stopped_generation_id")
    for method, request in (
            ("Get", pb.GetRequest(conversation_id=name)),
            ("ListMessages", pb.ListMessagesRequest(conversation_id=name)),
            ("Append", pb.AppendRequest(conversation_id=name, messages=[user("y")])),
            ("Generate", ask(name)),
            ("Delete", pb.DeleteRequest(conversation_id=name))):
        failure = refused("NOT_FOUND", "CONVERSATION_NOT_FOUND", getattr(w.client, method), request)
        assert failure.metadata["conversation_id"] == name
    refused("ALREADY_EXISTS", "CONVERSATION_EXISTS", w.client.Create,
            pb.CreateRequest(model="gpt-4.1", conversation_id=name))
    listed = w.client.List(pb.ListRequest(page_size=1000)).conversations
    assert name not in [conversation.id for conversation in listed]


def a_deletion_is_safe_to_repeat(w):
    name, other = w.conversation(), w.conversation()
    request = pb.DeleteRequest(conversation_id=name, request_id=w.new_id("delete"))
    assert w.client.Delete(request) == w.client.Delete(request)
    request.conversation_id = other
    refused("INVALID_ARGUMENT", "REQUEST_ID_REUSED", w.client.Delete, request)
    assert w.client.Get(pb.GetRequest(conversation_id=other)).conversation.id == other


def a_running_turn_is_stopped_and_billed(w):
    name = w.conversation()
    w.sim.hold()
    future = w.client.future("Generate", ask(name))
    w.sim.wait_held()
    request = pb.DeleteRequest(conversation_id=name, request_id=w.new_id("delete"))
    answer = w.client.Delete(request)
    failure = Failure(future.exception(timeout=20))
    assert (failure.code.name, failure.reason) == ("ABORTED", "GENERATION_STOPPED"), failure
    assert failure.metadata["generation_id"] == answer.stopped_generation_id
    assert w.client.Delete(request) == answer
    w.sim.release()
    usage = w.client.GetUsage(pb.GetUsageRequest(conversation_id=name)).total
    assert usage.requests == 1 and usage.attempts == 1 and usage.total_tokens > 0
