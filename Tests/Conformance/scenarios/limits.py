"""What does not fit, and what has no price."""

import grpc

from kit.client import Client, ask, check_failure, pb, refused, user


def a_message_longer_than_the_window(w):
    name = w.conversation(model="deepseek-v3.2")
    failure = refused("INVALID_ARGUMENT", "CONTEXT_TOO_LONG", w.client.Generate,
                      ask(name, "word " * 100_000), timeout=60)
    assert int(failure.metadata["tokens"]) > int(failure.metadata["limit"]) > 0, failure
    assert not any(m.state == pb.MESSAGE_STATE_ACTIVE for m in w.messages(name))


def a_system_prompt_that_leaves_no_room(w):
    policy = pb.Policy(context_budget_tokens=2_000, reserved_tokens=0)
    name = w.conversation(policy=policy, system_prompt="rule " * 5_000)
    failure = refused("FAILED_PRECONDITION", "CONTEXT_NOT_REDUCIBLE", w.client.Generate,
                      ask(name, "Hi."))
    assert int(failure.metadata["tokens"]) > int(failure.metadata["limit"]) > 0, failure


def a_currency_without_prices(w):
    w.db.recount("tenant", "create", "euro", "--name", "Euro", "--currency", "EUR")
    client = Client(w.address, w.new_key(tenant="euro"))
    name = client.Create(pb.CreateRequest(model="gpt-4.1")).conversation.id
    before = len(w.sim.log())
    failure = refused("FAILED_PRECONDITION", "PRICE_NOT_CONFIGURED", client.Generate, ask(name))
    assert failure.metadata["model"] == "gpt-4.1" and len(w.sim.log()) == before
    client.Append(pb.AppendRequest(conversation_id=name, messages=[user("still")]))
    client.close()


def a_budget_that_is_spent(w):
    limit = 1_000
    w.db.recount("tenant", "create", "poor", "--name", "Poor", "--currency", "USD")
    w.db.query("INSERT INTO quota_account (tenant_id, account_id, scope, scope_id, unit, period, "
               "time_zone, limit_each) VALUES ('poor', gen_random_uuid(), 'tenant', 'poor', "
               f"'tokens', 'total', 'UTC', {limit})", role="postgres")
    client = Client(w.address, w.new_key(tenant="poor"))
    name = client.Create(pb.CreateRequest(model="gpt-4.1")).conversation.id
    before = len(w.sim.log())
    failure = refused("RESOURCE_EXHAUSTED", "BUDGET_EXCEEDED", client.Generate, ask(name))
    assert len(w.sim.log()) == before, "the relay was asked on a spent budget"
    assert failure.details["QuotaFailure"].violations and "RetryInfo" not in failure.details
    assert failure.pushback == "-1", failure.pushback
    told = (failure.metadata["scope"], failure.metadata["unit"], failure.metadata["limit"])
    assert told == ("tenant", "tokens", str(limit)), failure
    options = pb.GenerationOptions(max_tokens=60)
    turns = 0
    while turns < 50:
        try:
            client.Generate(ask(name, options=options))
            turns += 1
        except grpc.RpcError as error:
            check_failure(error, "RESOURCE_EXHAUSTED", "BUDGET_EXCEEDED")
            break
    used = client.GetUsage(pb.GetUsageRequest()).total.total_tokens
    assert 1 <= turns < 50 and used <= limit, (turns, used)
    client.close()


def nothing_to_answer(w):
    failure = refused("FAILED_PRECONDITION", "CONVERSATION_TOO_SHORT", w.client.Generate,
                      pb.GenerateRequest(conversation_id=w.conversation()))
    assert failure.message


def an_expired_conversation_is_only_read(w):
    name = w.conversation(message=user("kept"))
    w.db.query("UPDATE conversation SET expires_at = now() - interval '1 second' "
               f"WHERE conversation_id = '{name}'", role="postgres")
    found = w.client.Get(pb.GetRequest(conversation_id=name)).conversation
    assert found.state == pb.CONVERSATION_STATE_EXPIRED
    assert w.messages(name)[0].text == "kept"
    refused("NOT_FOUND", "CONVERSATION_NOT_FOUND", w.client.Generate, ask(name))
    refused("NOT_FOUND", "CONVERSATION_NOT_FOUND", w.client.Append,
            pb.AppendRequest(conversation_id=name, messages=[user("x")]))
