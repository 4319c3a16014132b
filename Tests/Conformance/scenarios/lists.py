"""List and GetModels."""

from decimal import Decimal

from google.protobuf.timestamp_pb2 import Timestamp

from kit.client import Client, pb, refused


def _pages(client, **fields):
    """Every conversation that a List gives, page by page, and the pages' sizes."""
    found, sizes, token = [], [], None
    for _ in range(100):
        page = client.List(pb.ListRequest(page_token=token, **fields))
        found += page.conversations
        sizes.append(len(page.conversations))
        if not page.HasField("next_page_token"):
            return found, sizes
        token = page.next_page_token
    raise AssertionError("pages without an end")


def conversations_are_listed_newest_first(w):
    made = [w.conversation() for _ in range(7)]
    found, sizes = _pages(w.client, page_size=3)
    ids = [conversation.id for conversation in found]
    assert len(ids) == len(set(ids)), "a conversation came twice"
    assert [name for name in ids if name in made] == made[::-1]
    assert all(size == 3 for size in sizes[:-1]), sizes
    times = [(c.create_time.seconds, c.create_time.nanos) for c in found]
    assert times == sorted(times, reverse=True)
    assert all(c.state == pb.CONVERSATION_STATE_ACTIVE for c in found)


def listed_and_got_are_the_same(w):
    name = w.conversation()
    listed = next(c for c in _pages(w.client)[0] if c.id == name)
    assert listed == w.client.Get(pb.GetRequest(conversation_id=name)).conversation


def times_bound_a_list(w):
    first, second = w.conversation(), w.conversation()
    at = w.client.Get(pb.GetRequest(conversation_id=second)).conversation.create_time
    before = {c.id for c in _pages(w.client, create_time_end=at)[0]}
    since = {c.id for c in _pages(w.client, create_time_start=at)[0]}
    assert first in before and second not in before
    assert second in since and first not in since


def wrong_lists_are_refused(w):
    for request in (
            pb.ListRequest(page_size=0), pb.ListRequest(page_size=-1),
            pb.ListRequest(page_size=1001), pb.ListRequest(page_token="x"),
            pb.ListRequest(page_token=""), pb.ListRequest(state=9),
            pb.ListRequest(create_time_start=Timestamp(seconds=2),
                           create_time_end=Timestamp(seconds=1)),
            pb.ListRequest(create_time_start=Timestamp(seconds=1, nanos=-1))):
        refused("INVALID_ARGUMENT", "FIELD_INVALID", w.client.List, request)


def models_have_their_prices(w):
    models = {model.id: model for model in w.client.GetModels(pb.GetModelsRequest()).models}
    gpt = models["gpt-4.1"]
    assert gpt.context_tokens_max == 128000 and gpt.vocabulary == "o200k_base"
    assert gpt.count_method == pb.COUNT_METHOD_EXACT
    prices = {(price.book, price.token_class): price for price in gpt.prices}
    paid = prices[pb.PRICE_BOOK_CONTRACTED, pb.TOKEN_CLASS_UNCACHED_INPUT]
    listed = prices[pb.PRICE_BOOK_LIST, pb.TOKEN_CLASS_UNCACHED_INPUT]
    assert Decimal(paid.price_per_million) == 8 and not paid.derived
    assert Decimal(listed.price_per_million) == 60 and paid.currency == "USD"
    assert prices[pb.PRICE_BOOK_CONTRACTED, pb.TOKEN_CLASS_CACHE_READ].derived


def a_key_sees_only_its_models(w):
    client = Client(w.address, w.new_key("--model", "deepseek-v3.2"))
    models = client.GetModels(pb.GetModelsRequest()).models
    assert [model.id for model in models] == ["deepseek-v3.2"]
