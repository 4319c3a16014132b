"""Tool groups: open calls, results in any order, orphans, abandoning."""

from kit.client import ask, pb, refused

SCHEMA = '{"type":"object","properties":{"city":{"type":"string"}}}'


def _calls(*ids):
    calls = [pb.ToolCall(id=i, name="weather", arguments='{"city":"Bonn"}') for i in ids]
    return pb.NewMessage(role=pb.ROLE_ASSISTANT, tool_calls=calls)


def _result(call, text="rain"):
    return pb.NewMessage(role=pb.ROLE_TOOL, tool_call_id=call, text=text)


def _append(w, name, *messages):
    return w.client.Append(pb.AppendRequest(conversation_id=name, messages=messages))


def results_come_in_any_order(w):
    name = w.conversation(message=pb.NewMessage(role=pb.ROLE_USER, text="Weather?"))
    assert list(_append(w, name, _calls("a", "b", "c")).open_tool_call_ids) == ["a", "b", "c"]
    open_ids = _append(w, name, _result("c")).open_tool_call_ids
    assert list(open_ids) == ["a", "b"], open_ids
    found = w.client.Get(pb.GetRequest(conversation_id=name)).conversation
    assert list(found.open_tool_call_ids) == ["a", "b"]
    failure = refused("FAILED_PRECONDITION", "TOOL_RESULTS_MISSING", w.client.Generate, ask(name))
    assert failure.metadata["tool_call_ids"] == "a,b", failure
    assert not _append(w, name, _result("b"), _result("a")).open_tool_call_ids
    answer = w.client.Generate(pb.GenerateRequest(conversation_id=name))
    assert not answer.HasField("request_seq")
    assert "messages: 5" in answer.message.text, answer.message.text


def orphans_are_refused(w):
    name = w.conversation()
    refused("INVALID_ARGUMENT", "FIELD_INVALID", w.client.Append,
            pb.AppendRequest(conversation_id=name, messages=[_result("nobody")]))
    _append(w, name, _calls("a"))
    refused("INVALID_ARGUMENT", "FIELD_INVALID", w.client.Append,
            pb.AppendRequest(conversation_id=name, messages=[_result("b")]))
    _append(w, name, _result("a"))
    refused("INVALID_ARGUMENT", "FIELD_INVALID", w.client.Append,
            pb.AppendRequest(conversation_id=name, messages=[_result("a")]))
    assert len(w.messages(name)) == 2


def open_calls_can_be_abandoned(w):
    name = w.conversation(message=pb.NewMessage(role=pb.ROLE_USER, text="Weather?"))
    _append(w, name, _calls("a", "b"))
    answer = w.client.Generate(ask(name, "Never mind.", abandon_tools=True))
    found = w.messages(name)
    closing = [message for message in found if message.role == pb.ROLE_TOOL]
    assert [message.tool_call_id for message in closing] == ["a", "b"], closing
    assert "messages: 5" in answer.message.text, answer.message.text


def the_models_calls_open_a_group(w):
    name = w.conversation()
    w.sim.script({"finish_reason": "tool_calls", "tool_calls": [
        {"id": "call_1", "type": "function",
         "function": {"name": "weather", "arguments": '{"city": "Köln"}'}}]})
    tool = pb.Tool(name="weather", description="Tells the weather.", parameters=SCHEMA)
    answer = w.client.Generate(ask(
        name, "Weather in Köln?", options=pb.GenerationOptions(
            tools=[tool], tool_choice=pb.ToolChoice(mode=pb.TOOL_CHOICE_MODE_REQUIRED))))
    assert answer.finish_reason == pb.FINISH_REASON_TOOL_CALLS, answer.finish_reason
    call = answer.message.tool_calls[0]
    assert (call.id, call.name, call.arguments) == ("call_1", "weather", '{"city": "Köln"}')
    refused("FAILED_PRECONDITION", "TOOL_RESULTS_MISSING", w.client.Generate, ask(name))
    _append(w, name, _result("call_1", "sunny"))
    last = w.client.Generate(pb.GenerateRequest(
        conversation_id=name, options=pb.GenerationOptions(tools=[tool])))
    assert "messages: 3" in last.message.text, last.message.text


def json_is_checked(w):
    name = w.conversation()
    for arguments in ("", "{", '{"a":1,"a":2}', "{'a':1}", '{"a":NaN}', "[" * 5000):
        calls = pb.NewMessage(role=pb.ROLE_ASSISTANT, tool_calls=[
            pb.ToolCall(id="x", name="f", arguments=arguments)])
        failure = refused("INVALID_ARGUMENT", "FIELD_INVALID", w.client.Append,
                          pb.AppendRequest(conversation_id=name, messages=[calls]))
        assert failure.fields() == ["messages[0].tool_calls[0].arguments"], failure.fields()
    for parameters in ("", "7", "{]", '{"type":"object","type":"array"}'):
        options = pb.GenerationOptions(tools=[pb.Tool(name="f", parameters=parameters)])
        refused("INVALID_ARGUMENT", "FIELD_INVALID", w.client.Generate, ask(name, options=options))
    assert not w.messages(name)
