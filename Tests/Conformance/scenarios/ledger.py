"""At the end, over all that the run did: rows, log and usage agree, and doctor is content."""

from decimal import Decimal

from kit.client import pb

PICO = Decimal(10) ** 12


def every_upstream_call_has_its_row(w):
    rows = w.db.query("SELECT attempt_id FROM turn UNION SELECT attempt_id FROM attempt")
    missing = set(w.sim.attempts()) - {row[0] for row in rows}
    assert not missing, missing


def known_rows_equal_the_relays_log(w):
    """Each call that was answered and booked as known has the tokens that the relay reported."""
    rows = w.db.query(
        "SELECT attempt_id, (SELECT sum(q) FROM unnest(line_quantity) AS q) FROM usage_event "
        "WHERE outcome = 'known' AND kind <> 'correction' "
        "AND conversation_id NOT LIKE '%odd-usage%'")
    logged = {line["attempt"]: line for line in w.sim.log()}
    compared = 0
    for attempt, tokens in rows:
        line = logged[attempt]
        if line["outcome"] == "answered" and line["usage"] is not None:
            assert int(tokens) == line["usage"]["total_tokens"], (attempt, tokens, line)
            compared += 1
    assert compared >= 1
    unanswered = [a for a, line in logged.items() if line["outcome"] == "refused"]
    events = {row[0] for row in rows}
    assert not events & set(unanswered), "a refused call was billed"


def usage_is_the_ledger(w):
    tokens, cost, listed = w.db.query(
        "SELECT coalesce(sum((SELECT sum(q) FROM unnest(line_quantity) AS q)), 0), "
        "coalesce(sum(cost), 0), coalesce(sum(list_cost), 0) FROM usage_event "
        "WHERE tenant_id = 'acme'")[0]
    total = w.client.GetUsage(pb.GetUsageRequest()).total
    assert total.total_tokens == int(tokens), (total, tokens)
    assert Decimal(total.cost.contracted) == Decimal(cost) / PICO, (total, cost)
    assert Decimal(total.cost.list) == Decimal(listed) / PICO, (total, listed)


def no_turn_is_left_running(w):
    w.wait(lambda: w.db.query("SELECT count(*) FROM turn WHERE state = 'running'") == [["0"]],
           seconds=20, what="a turn still runs")


def doctor_finds_nothing(w):
    w.db.recount("doctor")


def the_server_goes_quietly(w):
    assert w.end_server() == 0, "SIGTERM did not end it with 0"
    w.serve()
