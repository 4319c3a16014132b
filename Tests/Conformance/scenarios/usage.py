"""GetUsage: equal to the sum of the receipts and to the relay's log, however it is cut."""

import time
from datetime import datetime, timezone
from decimal import Decimal

from demo_client import sums_of_receipts, sums_of_usage

from kit.client import Client, ask, pb


def _turns(name, client, count):
    return [client.Generate(ask(name, f"{n}: " + "z" * 3000)).receipt for n in range(count)]


def usage_is_the_sum_of_the_receipts(w):
    models = ("gpt-4.1", "deepseek-v3.2", "claude-sonnet-4.5")
    names = [w.conversation(model=model) for model in models]
    other = Client(w.address, w.new_key())
    before = len(w.sim.log())
    began = time.time()
    receipts = {
        models[0]: _turns(names[0], w.client, 3),
        models[1]: _turns(names[1], w.client, 2),
        models[2]: _turns(names[2], other, 2)}
    everything = [r for some in receipts.values() for r in some]
    for name, some in zip(names, receipts.values()):
        total = w.client.GetUsage(pb.GetUsageRequest(conversation_id=name)).total
        assert sums_of_usage(total) == sums_of_receipts(some), (total, some)
        assert total.requests == total.attempts == len(some)
    request = pb.GetUsageRequest(group_by=pb.USAGE_GROUPING_MODEL)
    request.start_time.FromSeconds(int(began) - 1)
    groups = {group.name: group.usage for group in w.client.GetUsage(request).groups}
    for model in models:
        assert groups[model].total_tokens >= sum(r.tokens.total for r in receipts[model])
    logged = w.sim.log()[before:]
    assert sum(line["usage"]["total_tokens"] for line in logged) == sum(
        r.tokens.total for r in everything)
    other.close()


def groups_sum_to_the_total(w):
    name = w.conversation()
    _turns(name, w.client, 1)
    for grouping in (pb.USAGE_GROUPING_DAY, pb.USAGE_GROUPING_MODEL, pb.USAGE_GROUPING_KEY,
                     pb.USAGE_GROUPING_CONVERSATION):
        request = pb.GetUsageRequest(group_by=grouping, page_size=7)
        request.end_time.GetCurrentTime()
        groups = []
        while True:
            page = w.client.GetUsage(request)
            assert len(page.groups) <= 7
            groups += page.groups
            if not page.HasField("next_page_token"):
                break
            request.page_token = page.next_page_token
        names = [group.name for group in groups]
        assert len(set(names)) == len(names) and names == sorted(names), names
        for field in ("requests", "attempts", "total_tokens", "uncached_input_tokens"):
            parts = sum(getattr(group.usage, field) for group in groups)
            assert parts == getattr(page.total, field), (field, parts, page.total)
        for book in ("contracted", "list"):
            parts = sum(Decimal(getattr(group.usage.cost, book)) for group in groups)
            assert parts == Decimal(getattr(page.total.cost, book)), book
        if grouping == pb.USAGE_GROUPING_DAY:
            assert datetime.now(timezone.utc).strftime("%Y-%m-%d") in names, names
        if grouping == pb.USAGE_GROUPING_CONVERSATION:
            assert name in names


def a_period_without_turns_is_empty(w):
    request = pb.GetUsageRequest(group_by=pb.USAGE_GROUPING_DAY)
    request.start_time.seconds, request.end_time.seconds = 1_000_000, 2_000_000
    found = w.client.GetUsage(request)
    assert not found.groups and found.total.total_tokens == 0
    assert Decimal(found.total.cost.contracted) == 0 and found.total.cost.currency == "USD"


def filters_hold(w):
    name = w.conversation()
    _turns(name, w.client, 1)
    key = w.key.split("_")[1]
    one = w.client.GetUsage(pb.GetUsageRequest(
        conversation_id=name, key_id=key, model="gpt-4.1")).total
    assert one.requests == 1
    for other in (dict(key_id="nobody"), dict(model="deepseek-v3.2"),
                  dict(conversation_id="nowhere")):
        fields = dict(conversation_id=name) | other
        none = w.client.GetUsage(pb.GetUsageRequest(**fields)).total
        assert none.requests == 0, other
