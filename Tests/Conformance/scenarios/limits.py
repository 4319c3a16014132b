"""What does not fit, and what has no price."""

from kit.client import Client, ask, pb, refused, user


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
