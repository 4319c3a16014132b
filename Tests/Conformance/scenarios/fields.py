"""Wrong values: each is FIELD_INVALID, names its field, and changes nothing."""

from kit.client import ask, pb, refused, user

LONG = "a" * 10_000


def _invalid(call, request, field=None):
    failure = refused("INVALID_ARGUMENT", "FIELD_INVALID", call, request)
    if field is not None:
        assert failure.fields() == [field], (field, failure.fields())
    assert len(failure.message) < 1000 and LONG not in str(failure.details)


def ids(w):
    for bad in (LONG, "a" * 129, "", "a b", "a/b", "ä", "a\n", "a\x00"):
        if bad:
            _invalid(w.client.Create, pb.CreateRequest(conversation_id=bad, model="gpt-4.1"),
                     "conversation_id")
        for method, request in (
                ("Get", pb.GetRequest(conversation_id=bad)),
                ("Append", pb.AppendRequest(conversation_id=bad, messages=[user("x")])),
                ("Generate", ask(bad)),
                ("ListMessages", pb.ListMessagesRequest(conversation_id=bad))):
            _invalid(getattr(w.client, method), request, "conversation_id")
        name = w.conversation()
        _invalid(w.client.Generate, ask(name, request_id=bad), "request_id")
        assert not w.messages(name)


def pages(w):
    name = w.conversation()
    for size in (-1, -(1 << 31)):
        _invalid(w.client.ListMessages,
                 pb.ListMessagesRequest(conversation_id=name, page_size=size), "page_size")
        _invalid(w.client.GetUsage, pb.GetUsageRequest(page_size=size), "page_size")
    for token in ("x", LONG, "🙂", "AAAA"):
        _invalid(w.client.ListMessages,
                 pb.ListMessagesRequest(conversation_id=name, page_token=token), "page_token")
        _invalid(w.client.GetUsage, pb.GetUsageRequest(
            group_by=pb.USAGE_GROUPING_DAY, page_token=token), "page_token")
    _invalid(w.client.ListMessages, pb.ListMessagesRequest(conversation_id=name, after_seq=-1),
             "after_seq")


def messages(w):
    name = w.conversation()
    call = pb.ToolCall(id="x", name="f", arguments="{}")
    for message in (
            pb.NewMessage(text="no role"),
            pb.NewMessage(role=99, text="no such role"),
            pb.NewMessage(role=pb.ROLE_USER),
            pb.NewMessage(role=pb.ROLE_USER, text="both", parts=[pb.ContentPart(text="x")]),
            pb.NewMessage(role=pb.ROLE_USER, parts=[pb.ContentPart()]),
            pb.NewMessage(role=pb.ROLE_USER, text="x", tool_calls=[call]),
            pb.NewMessage(role=pb.ROLE_USER, text="x", tool_call_id="x"),
            pb.NewMessage(role=pb.ROLE_TOOL, text="no id"),
            pb.NewMessage(role=pb.ROLE_ASSISTANT, tool_calls=[call, call]),
            pb.NewMessage(role=pb.ROLE_USER, text="x", name=LONG),
            pb.NewMessage(role=pb.ROLE_USER, text="nul \x00 inside"),
            pb.NewMessage(role=pb.ROLE_USER, text="x", metadata={"k": "\x00"}),
            pb.NewMessage(role=pb.ROLE_USER, parts=[
                pb.ContentPart(image=pb.Image(url="ftp://example.org/x.png"))]),
            pb.NewMessage(role=pb.ROLE_USER, parts=[
                pb.ContentPart(image=pb.Image(url="data:image/png;base64,!!!"))])):
        _invalid(w.client.Append, pb.AppendRequest(conversation_id=name, messages=[message]))
        _invalid(w.client.Generate, pb.GenerateRequest(conversation_id=name, message=message))
    _invalid(w.client.Append, pb.AppendRequest(conversation_id=name), "messages")
    many = [user("x")] * 1001
    _invalid(w.client.Append, pb.AppendRequest(conversation_id=name, messages=many), "messages")
    assert not w.messages(name)


def options(w):
    name = w.conversation()
    before = len(w.sim.log())
    for field, bad in (
            ("temperature", dict(temperature=-0.1)), ("temperature", dict(temperature=2.1)),
            ("temperature", dict(temperature=float("nan"))),
            ("top_p", dict(top_p=0.0)), ("top_p", dict(top_p=1.5)),
            ("max_tokens", dict(max_tokens=0)), ("max_tokens", dict(max_tokens=-1)),
            ("max_tokens", dict(max_tokens=1 << 30)),
            ("stop", dict(stop=list("abcde"))),
            ("model", dict(model="no-such-model")), ("model", dict(model=LONG)),
            ("extra_fields", dict(extra_fields="{")), ("extra_fields", dict(extra_fields="[]")),
            ("extra_fields", dict(extra_fields='{"n":2}')),
            ("extra_fields", dict(extra_fields='{"stream":true}')),
            ("extra_fields", dict(extra_fields='{"api_base":"http://x"}')),
            ("extra_fields", dict(extra_fields='{"a":1,"a":2}')),
            (None, dict(tools=[pb.Tool(name="bad name")])),
            (None, dict(tools=[pb.Tool(name="f"), pb.Tool(name="f")])),
            (None, dict(tool_choice=pb.ToolChoice(mode=pb.TOOL_CHOICE_MODE_FUNCTION))),
            (None, dict(response_format=pb.ResponseFormat(
                type=pb.RESPONSE_FORMAT_TYPE_JSON_SCHEMA, schema="{")))):
        request = ask(name, options=pb.GenerationOptions(**bad))
        _invalid(w.client.Generate, request, field and f"options.{field}")
    assert not w.messages(name) and len(w.sim.log()) == before


def policies(w):
    for bad in (dict(context_budget_tokens=-1), dict(context_budget_tokens=0),
                dict(reserved_tokens=-1), dict(preserved_messages=-1), dict(temperature=9.0),
                dict(max_output_tokens=0), dict(attempts_max=0), dict(attempts_max=1000),
                dict(summary_model="no-such-model"), dict(summary_tokens=0)):
        field = next(iter(bad))
        _invalid(w.client.Create, pb.CreateRequest(model="gpt-4.1", policy=pb.Policy(**bad)),
                 f"policy.{field}")
    for field in ("ttl", "first_byte_timeout", "idle_timeout", "generation_timeout"):
        policy = pb.Policy()
        getattr(policy, field).seconds = -5
        _invalid(w.client.Create, pb.CreateRequest(model="gpt-4.1", policy=policy),
                 f"policy.{field}")


def usage(w):
    for grouping in (pb.USAGE_GROUPING_UNSPECIFIED, pb.USAGE_GROUPING_DAY):
        request = pb.GetUsageRequest(time_zone="Mars/Olympus", group_by=grouping)
        _invalid(w.client.GetUsage, request, "time_zone")
    request = pb.GetUsageRequest(group_by=77)
    _invalid(w.client.GetUsage, request, "group_by")
    request = pb.GetUsageRequest()
    request.start_time.seconds, request.end_time.seconds = 2000, 1000
    _invalid(w.client.GetUsage, request)
    request = pb.GetUsageRequest()
    request.start_time.nanos = -1
    _invalid(w.client.GetUsage, request, "start_time")
