"""StreamGenerate: numbered deltas, cuts at each place, callers who leave."""

import grpc

from kit.client import Failure, ask, pb, user

TEXT = "Recount keeps conversations and counts every token, 🙂 also in streams. " * 4


def _question(name, text="Hello?", **fields):
    return pb.StreamGenerateRequest(conversation_id=name, message=user(text), **fields)


def _read(call):
    """The events of a stream, which must be started, deltas numbered from 1, done."""
    events = [response.event for response in call]
    kinds = [event.WhichOneof("event") for event in events]
    assert kinds[0] == "started" and kinds[-1] == "done", kinds
    assert set(kinds[1:-1]) <= {"text", "tool_call"}, kinds
    assert [e.delta_seq for e in events] == [0, *range(1, len(events) - 1), 0]
    text = "".join(event.text.text for event in events if event.WhichOneof("event") == "text")
    return events[0].started, events[1:-1], text, events[-1].done


def deltas_are_the_answer(w):
    name = w.conversation()
    w.sim.script({"content": TEXT})
    started, deltas, text, done = _read(w.client.StreamGenerate(_question(name)))
    assert len(deltas) > 5 and text == TEXT == done.message.text
    assert done.finish_reason == pb.FINISH_REASON_STOP
    assert started.request_seq == 1 and done.message.seq == 2
    assert started.generation_id == done.receipt.generation_id
    assert [message.text for message in w.messages(name)] == ["Hello?", TEXT]
    logged = next(line for line in w.sim.log()
                  if line["attempt"] == done.receipt.attempts[0].attempt_id)
    assert done.receipt.tokens.total == logged["usage"]["total_tokens"]
    assert done.receipt.tokens.visible_output.source == pb.FIGURE_SOURCE_UPSTREAM


def tool_calls_come_by_index(w):
    name = w.conversation()
    calls = [{"id": f"c{n}", "type": "function",
              "function": {"name": "find", "arguments": '{"word": "%s"}' % ("x" * 40 * (n + 1))}}
             for n in range(2)]
    w.sim.script({"tool_calls": calls})
    options = pb.GenerationOptions(tools=[pb.Tool(name="find")])
    _, deltas, _, done = _read(w.client.StreamGenerate(_question(name, options=options)))
    joined = ["", ""]
    for delta in deltas:
        joined[delta.tool_call.index] += delta.tool_call.arguments
    assert joined == [call["function"]["arguments"] for call in calls]
    assert [call.arguments for call in done.message.tool_calls] == joined
    assert done.finish_reason == pb.FINISH_REASON_TOOL_CALLS


def every_cut_keeps_and_bills_what_came(w):
    for reset in (False, True):
        for cut in ("inside_chunk", "between_chunks", "before_finish", "before_usage",
                    "before_done"):
            name = w.conversation()
            w.sim.script({"content": TEXT, "cut": cut, "reset": reset})
            before = len(w.sim.log())
            _, _, text, done = _read(w.client.StreamGenerate(_question(name)))
            assert len(w.sim.log()) == before + 1, "asked again after a byte was delivered"
            assert text and TEXT.startswith(text) and done.message.text == text, cut
            whole = cut in ("before_usage", "before_done") and text == TEXT
            assert done.finish_reason == (
                pb.FINISH_REASON_STOP if whole else pb.FINISH_REASON_INTERRUPTED), cut
            assert [message.text for message in w.messages(name)] == ["Hello?", text]
            usage = w.client.GetUsage(pb.GetUsageRequest(conversation_id=name)).total
            assert usage.requests == usage.attempts == 1 and usage.visible_output_tokens > 0
            assert usage.cost.contracted == done.receipt.cost.contracted, cut


def a_cut_before_anything_came_is_unknown(w):
    for cut in ("before_headers", "inside_headers"):
        name = w.conversation()
        w.sim.script({"cut": cut})
        try:
            list(w.client.StreamGenerate(_question(name)))
            raise AssertionError("an answer")
        except grpc.RpcError as error:
            failure = Failure(error)
        assert (failure.code.name, failure.reason) == ("ABORTED", "UPSTREAM_OUTCOME_UNKNOWN")
        assert all(m.state == pb.MESSAGE_STATE_FAILED for m in w.messages(name))


def refusals_are_tried_again(w):
    name = w.conversation()
    w.sim.script({"status": 500}, {"content": "At last."})
    _, _, text, done = _read(w.client.StreamGenerate(_question(name)))
    assert text == "At last." and len(done.receipt.attempts) == 2


def a_caller_who_leaves_is_drained(w):
    name = w.conversation()
    w.sim.script({"content": TEXT, "chunk_ms": 20})
    call = w.client.StreamGenerate(_question(name))
    for response in call:
        if response.event.WhichOneof("event") == "text":
            break
    call.cancel()
    messages = w.wait(lambda: (lambda m: m if len(m) == 2 else None)(w.messages(name)))
    assert messages[1].text == TEXT


def a_policy_may_cancel_or_bound_the_drain(w):
    for vanished, bound in (
            (pb.VanishedClient(action=pb.VANISHED_CLIENT_ACTION_CANCEL), 200),
            (pb.VanishedClient(
                action=pb.VANISHED_CLIENT_ACTION_DRAIN_TOKENS, drain_tokens=5), 250)):
        name = w.conversation(policy=pb.Policy(vanished_client=vanished))
        w.sim.script({"content": TEXT, "chunk_ms": 30})
        call = w.client.StreamGenerate(_question(name))
        for response in call:
            if response.event.WhichOneof("event") == "text":
                break
        call.cancel()
        messages = w.wait(lambda: (lambda m: m if len(m) == 2 else None)(w.messages(name)))
        assert messages[1].text and TEXT.startswith(messages[1].text)
        assert len(messages[1].text) < bound, len(messages[1].text)


def repeats_come_by_either_method(w):
    name, request = w.conversation(), w.new_id("r")
    answer = w.client.Generate(ask(name, request_id=request))
    before = len(w.sim.log())
    for _ in range(2):
        _, _, text, done = _read(w.client.StreamGenerate(_question(name, request_id=request)))
        assert text == answer.message.text == done.message.text
        assert done.receipt.generation_id == answer.generation_id
    assert len(w.sim.log()) == before
