"""Create and Get: defaults, ids, conflicts, tenants apart."""

import re

from kit.client import Client, pb, refused, user

UUID7 = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
WEEK = 7 * 24 * 3600


def create_fills_the_defaults(w):
    made = w.client.Create(pb.CreateRequest(model="gpt-4.1"))
    conversation, policy = made.conversation, made.conversation.policy
    assert UUID7.match(conversation.id), conversation.id
    assert not made.replayed
    assert conversation.state == pb.CONVERSATION_STATE_ACTIVE
    assert (conversation.last_seq, conversation.message_count) == (0, 0)
    assert not conversation.HasField("system_prompt")
    assert not conversation.HasField("running_generation_id")
    lived = conversation.expire_time.seconds - conversation.create_time.seconds
    assert abs(lived - WEEK) <= 1, lived
    found = (policy.context_budget_tokens, policy.reserved_tokens, policy.preserved_messages,
             policy.max_output_tokens, policy.attempts_max, policy.summary_tokens)
    assert found == (120_000, 5_000, 10, 2_048, 3, 200), found
    assert abs(policy.temperature - 0.7) < 1e-12
    assert policy.summary_model == "deepseek-v3.2"
    assert not policy.retry_unknown_outcome and not policy.exceed_price_tier
    assert policy.vanished_client.action == pb.VANISHED_CLIENT_ACTION_DRAIN
    seconds = [getattr(policy, name).seconds for name in (
        "ttl", "first_byte_timeout", "idle_timeout", "generation_timeout")]
    assert seconds == [WEEK, 30, 30, 600], seconds


def the_budget_is_the_window_where_that_is_smaller(w):
    made = w.client.Create(pb.CreateRequest(model="deepseek-v3.2")).conversation
    assert made.policy.context_budget_tokens == 64_000, made.policy.context_budget_tokens


def get_returns_what_create_was_given(w):
    name = w.new_id()
    policy = pb.Policy(context_budget_tokens=9_000, temperature=0.0, preserved_messages=3)
    policy.ttl.seconds = 3600
    made = w.client.Create(pb.CreateRequest(
        conversation_id=name, model="claude-sonnet-4.5", system_prompt="Be brief.",
        message=user("Hello."), policy=policy, metadata={"ticket": "42", "Ä": "ö 🙂"}))
    found = w.client.Get(pb.GetRequest(conversation_id=name)).conversation
    assert found == made.conversation, f"{found} is not {made.conversation}"
    assert found.id == name and found.model == "claude-sonnet-4.5"
    assert found.system_prompt == "Be brief." and found.system_prompt_tokens.tokens > 0
    assert dict(found.metadata) == {"ticket": "42", "Ä": "ö 🙂"}
    assert found.policy.HasField("temperature") and found.policy.temperature == 0.0
    assert found.policy.context_budget_tokens == 9_000 and found.policy.ttl.seconds == 3600
    assert (found.last_seq, found.message_count) == (1, 1)
    assert w.messages(name)[0].text == "Hello."


def a_taken_id_is_refused(w):
    name = w.conversation()
    failure = refused("ALREADY_EXISTS", "CONVERSATION_EXISTS", w.client.Create,
                      pb.CreateRequest(conversation_id=name, model="gpt-4.1"))
    assert failure.metadata["conversation_id"] == name


def an_absent_conversation_is_not_found(w):
    gone = w.new_id()
    for method, request in (
            ("Get", pb.GetRequest(conversation_id=gone)),
            ("Append", pb.AppendRequest(conversation_id=gone, messages=[user("x")])),
            ("Generate", pb.GenerateRequest(conversation_id=gone, message=user("x"))),
            ("ListMessages", pb.ListMessagesRequest(conversation_id=gone))):
        failure = refused(
            "NOT_FOUND", "CONVERSATION_NOT_FOUND", getattr(w.client, method), request)
        assert failure.metadata["conversation_id"] == gone, method
    assert not w.sim.log() or all(line["attempt"] for line in w.sim.log())


def tenants_do_not_see_each_other(w):
    w.db.recount("tenant", "create", "umbrella", "--name", "Umbrella", "--currency", "USD")
    other = Client(w.address, w.new_key(tenant="umbrella"))
    name = w.conversation()
    w.client.Append(pb.AppendRequest(conversation_id=name, messages=[user("ours alone")]))

    def seen():
        refused("NOT_FOUND", "CONVERSATION_NOT_FOUND", other.Get,
                pb.GetRequest(conversation_id=name))
        return True

    assert seen()
    refused("NOT_FOUND", "CONVERSATION_NOT_FOUND", other.ListMessages,
            pb.ListMessagesRequest(conversation_id=name))
    refused("NOT_FOUND", "CONVERSATION_NOT_FOUND", other.Generate,
            pb.GenerateRequest(conversation_id=name, message=user("x")))
    theirs = other.Create(pb.CreateRequest(conversation_id=name, model="gpt-4.1"))
    assert theirs.conversation.last_seq == 0
    usage = other.GetUsage(pb.GetUsageRequest()).total
    assert (usage.requests, usage.total_tokens) == (0, 0)
    other.close()


def an_unknown_model_is_refused(w):
    failure = refused("INVALID_ARGUMENT", "FIELD_INVALID", w.client.Create,
                      pb.CreateRequest(model="gpt-5-imaginary"))
    assert failure.fields() == ["model"], failure.fields()
