"""Generate: the answer, its receipt, what the model is shown."""

from decimal import Decimal

from kit.client import ask, pb, user


def _cost(tokens, per_million):
    return Decimal(tokens) * Decimal(per_million) / 1_000_000


def an_answer_and_its_receipt(w):
    name = w.conversation(system_prompt="Be brief.")
    answer = w.client.Generate(ask(name, "What is a tree?"))
    log, receipt, message = w.sim.log()[-1], answer.receipt, answer.message
    assert "first user line: What is a tree?" in message.text and log["sha256"] in message.text
    assert (message.role, message.seq, answer.request_seq) == (pb.ROLE_ASSISTANT, 2, 1)
    assert message.generation_id == answer.generation_id == receipt.generation_id
    assert answer.finish_reason == pb.FINISH_REASON_STOP and not answer.replayed
    assert [a.attempt_id for a in receipt.attempts] == [log["attempt"]]
    assert receipt.attempts[0].outcome == pb.ATTEMPT_OUTCOME_ANSWERED
    assert receipt.relay == "relay" and receipt.upstream_request_id
    assert receipt.model == receipt.model_asked == receipt.model_answered == "gpt-4.1"
    tokens, usage = receipt.tokens, log["usage"]
    assert tokens.uncached_input.tokens == usage["prompt_tokens"]
    assert tokens.visible_output.tokens == usage["completion_tokens"]
    assert tokens.total == usage["total_tokens"]
    assert tokens.uncached_input.source == pb.FIGURE_SOURCE_UPSTREAM
    assert receipt.cost.currency == "USD"
    assert Decimal(receipt.cost.contracted) == _cost(tokens.total, "8.00"), receipt.cost
    assert Decimal(receipt.cost.list) == _cost(tokens.total, "60.00"), receipt.cost
    assert receipt.cost.contracted_price_set_id and receipt.cost.list_price_set_id
    context = receipt.context
    assert (context.verbatim_messages, context.dropped_messages) == (1, 0)
    assert len(context.plan_hash) == 64 and context.prompt_tokens.tokens > 0
    timings = receipt.timings
    assert 0 < timings.overhead_ms <= timings.total_ms
    away = timings.upstream_wait_ms + timings.stream_ms
    assert abs(timings.total_ms - away - timings.overhead_ms) < 0.5, timings
    kept = w.messages(name)[1]
    assert (kept.text, kept.seq, kept.tokens, kept.generation_id) == (
        message.text, message.seq, message.tokens, message.generation_id)


def the_conversation_is_remembered(w):
    name = w.conversation(system_prompt="Be brief.")
    for number in range(1, 6):
        answer = w.client.Generate(ask(name, f"Question {number}?"))
        assert "first user line: Question 1?" in answer.message.text
        assert f"messages: {2 * number}" in answer.message.text, answer.message.text
        assert answer.receipt.context.verbatim_messages == 2 * number - 1
    found = w.client.Get(pb.GetRequest(conversation_id=name)).conversation
    assert (found.last_seq, found.message_count) == (10, 10)
    assert found.last_turn_time.seconds >= found.create_time.seconds
    assert found.view_tokens_max > 0


def cached_input_is_told_apart(w):
    name = w.conversation()
    w.client.Generate(ask(name, "x" * 10_000))
    answer = w.client.Generate(ask(name, "again"))
    tokens, usage = answer.receipt.tokens, w.sim.log()[-1]["usage"]
    cached = usage["prompt_tokens_details"]["cached_tokens"]
    assert cached >= 2048 and tokens.cache_read.tokens == cached, answer.receipt.tokens
    assert tokens.uncached_input.tokens == usage["prompt_tokens"] - cached
    assert Decimal(answer.receipt.cost.contracted) == _cost(tokens.total, "8.00")


def old_messages_that_do_not_fit_are_left_out(w):
    policy = pb.Policy(context_budget_tokens=600, reserved_tokens=100, max_output_tokens=100)
    name = w.conversation(policy=policy, system_prompt="Be brief.")
    for number in range(6):
        answer = w.client.Generate(ask(name, f"{number}: " + "word " * 100))
    context = answer.receipt.context
    assert context.dropped_messages > 0, context
    assert context.verbatim_messages + context.dropped_messages == 11, context
    assert f"messages: {context.verbatim_messages + 1}" in answer.message.text
    assert len(w.messages(name)) == 12


def max_tokens_cuts_the_answer(w):
    name = w.conversation()
    answer = w.client.Generate(ask(name, options=pb.GenerationOptions(max_tokens=5)))
    assert answer.finish_reason == pb.FINISH_REASON_LENGTH
    assert answer.receipt.tokens.visible_output.tokens == 5


def each_model_has_its_price(w):
    for model, contracted, listed in (
            ("deepseek-v3.2", "0.42", "1.00"), ("claude-sonnet-4.5", "15.00", "75.00"),
            ("gemini-2.5-flash", "2.50", "12.50")):
        receipt = w.client.Generate(ask(w.conversation(model=model))).receipt
        assert receipt.model == w.sim.log()[-1]["model"] == model
        assert Decimal(receipt.cost.contracted) == _cost(receipt.tokens.total, contracted)
        assert Decimal(receipt.cost.list) == _cost(receipt.tokens.total, listed)


def a_turn_without_a_message_goes_on(w):
    name = w.conversation()
    w.client.Append(pb.AppendRequest(conversation_id=name, messages=[user("first"), user("then")]))
    answer = w.client.Generate(pb.GenerateRequest(conversation_id=name))
    assert not answer.HasField("request_seq") and answer.message.seq == 3
    assert "messages: 2" in answer.message.text


def reasoning_and_odd_usage(w):
    name = w.conversation()
    w.sim.script({"content": "42", "usage": {
        "prompt_tokens": 50, "completion_tokens": 30, "total_tokens": 80,
        "prompt_tokens_details": {"cached_tokens": 20},
        "completion_tokens_details": {"reasoning_tokens": 25}}})
    tokens = w.client.Generate(ask(name)).receipt.tokens
    found = [getattr(tokens, n).tokens for n in (
        "uncached_input", "cache_read", "cache_write", "visible_output", "reasoning")]
    assert found == [30, 20, 0, 5, 25], found
    w.sim.script({"content": "no usage at all", "usage": None})
    tokens = w.client.Generate(ask(name)).receipt.tokens
    assert tokens.total > 0 and tokens.uncached_input.source != pb.FIGURE_SOURCE_UPSTREAM
