"""What relays do wrong, and what callers hear of it."""

from kit.client import ask, pb, refused

CANARY = "canary-7391-of-the-relay"


def _failing(w, code, reason, *steps, attempts_max=1, calls=None, **policy):
    """A turn that fails: the error, out of the view, and the conversation goes on."""
    settings = pb.Policy(attempts_max=attempts_max)
    for name, milliseconds in policy.items():
        getattr(settings, name).nanos = milliseconds * 1_000_000
    conversation = w.conversation(policy=settings)
    w.client.Generate(ask(conversation, "Before."))
    before = len(w.sim.log())
    w.sim.script(*steps)
    failure = refused(code, reason, w.client.Generate, ask(conversation, "The one that fails."))
    assert len(w.sim.log()) - before == (calls or attempts_max), "attempts"
    assert CANARY not in str(failure) and CANARY not in str(failure.details)
    states = [message.state for message in w.messages(conversation)]
    assert states == [pb.MESSAGE_STATE_ACTIVE] * 2 + [pb.MESSAGE_STATE_FAILED], states
    w.sim.reset()
    after = w.client.Generate(ask(conversation, "After."))
    assert "messages: 3" in after.message.text, "the failed question was shown to the model"
    assert failure.metadata["generation_id"] != after.generation_id
    return failure


def _error(status, **members):
    return {"status": status, "error": {"message": CANARY, **members}}


def a_429_is_tried_again(w):
    conversation = w.conversation()
    w.sim.script(_error(429, type="rate_limit_exceeded"))
    receipt = w.client.Generate(ask(conversation)).receipt
    outcomes = [attempt.outcome for attempt in receipt.attempts]
    assert outcomes == [pb.ATTEMPT_OUTCOME_UNBILLED, pb.ATTEMPT_OUTCOME_ANSWERED], outcomes
    assert [attempt.number for attempt in receipt.attempts] == [1, 2]
    assert [a.attempt_id for a in receipt.attempts] == w.sim.attempts()[-2:]


def a_500_is_tried_again(w):
    conversation = w.conversation()
    w.sim.script(_error(500), _error(503))
    receipt = w.client.Generate(ask(conversation)).receipt
    assert len(receipt.attempts) == 3
    total = w.client.GetUsage(pb.GetUsageRequest(conversation_id=conversation)).total
    assert (total.requests, total.total_tokens) == (1, receipt.tokens.total), total


def rate_limited_to_the_end(w):
    _failing(w, "UNAVAILABLE", "UPSTREAM_RATE_LIMITED",
             {**_error(429, type="rate_limit_exceeded"), "times": 2}, attempts_max=2)


def unavailable_to_the_end(w):
    _failing(w, "UNAVAILABLE", "UPSTREAM_UNAVAILABLE", {**_error(502), "times": 2},
             attempts_max=2)


def the_credential_is_refused(w):
    for status in (401, 403):
        _failing(w, "FAILED_PRECONDITION", "UPSTREAM_AUTH", _error(status), attempts_max=3,
                 calls=1)


def out_of_credit(w):
    for step in (_error(402), _error(429, type="insufficient_quota", code="insufficient_quota")):
        _failing(w, "FAILED_PRECONDITION", "UPSTREAM_CREDIT_EXHAUSTED", step, attempts_max=3,
                 calls=1)


def the_filter(w):
    _failing(w, "FAILED_PRECONDITION", "CONTENT_FILTERED",
             _error(400, code="content_filter"), attempts_max=3, calls=1)


def the_window_is_smaller_than_we_thought(w):
    _failing(w, "INVALID_ARGUMENT", "CONTEXT_TOO_LONG",
             _error(400, type="invalid_request_error", code="context_length_exceeded"),
             attempts_max=3, calls=1)


def answers_that_are_none(w):
    for body in (CANARY, "", "{", "[]", '{"choices":[]}', '{"choices":7}', "\u00ff"):
        _failing(w, "ABORTED", "UPSTREAM_OUTCOME_UNKNOWN",
                 {"status": 200, "body": body}, attempts_max=3, calls=1)


def lost_after_it_was_asked(w):
    for where in ("before_headers", "inside_headers", "before_body", "inside_body"):
        _failing(w, "ABORTED", "UPSTREAM_OUTCOME_UNKNOWN", {"cut": where}, attempts_max=3, calls=1)
    _failing(w, "ABORTED", "UPSTREAM_OUTCOME_UNKNOWN", {"cut": "before_headers", "reset": True},
             attempts_max=3, calls=1)


def too_slow(w):
    for step, policy in (
            ({"latency_ms": 3000}, {"first_byte_timeout": 300}),
            ({"body_delay_ms": 3000}, {"idle_timeout": 300}),
            ({"trickle_bytes": 8, "trickle_ms": 100}, {"generation_timeout": 700})):
        failure = _failing(w, "DEADLINE_EXCEEDED", "UPSTREAM_TIMEOUT", step, attempts_max=3,
                           calls=1, **policy)
        assert failure.metadata["outcome"] == "unknown", failure
    failure = _failing(w, "DEADLINE_EXCEEDED", "UPSTREAM_TIMEOUT", _error(504), attempts_max=3,
                       calls=1)
    assert failure.metadata["outcome"] == "unknown", failure


def an_unknown_outcome_is_booked(w):
    conversation = w.conversation()
    w.sim.script({"cut": "before_headers"})
    failure = refused("ABORTED", "UPSTREAM_OUTCOME_UNKNOWN", w.client.Generate, ask(conversation))
    rows = w.db.query("SELECT kind, outcome, cost > 0 FROM usage_event WHERE generation_id = "
                      f"'{failure.metadata['generation_id']}'")
    assert rows and all(row[1:] == ["unknown", "t"] for row in rows), rows


def nothing_of_the_relay_is_logged(w):
    text = (w.folder / "recountd.jsonl").read_text(errors="replace")
    assert CANARY not in text
    assert w.relay.key_file.read_text().strip() not in text and w.key not in text


def nobody_listens(w):
    w.restart(RECOUNT_RELAY_URL="http://127.0.0.1:9/v1")
    conversation = w.conversation(policy=pb.Policy(attempts_max=2))
    failure = refused("UNAVAILABLE", "UPSTREAM_UNAVAILABLE", w.client.Generate, ask(conversation))
    rows = w.db.query("SELECT reservation, attempts FROM turn WHERE generation_id = "
                      f"'{failure.metadata['generation_id']}'")
    assert rows == [["voided", "2"]], rows
    w.restart()
    w.client.Generate(ask(conversation))
