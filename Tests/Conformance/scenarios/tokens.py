"""CountTokens."""

from kit.client import pb, refused, user


def a_text_is_counted(w):
    counted = w.client.CountTokens(pb.CountTokensRequest(model="gpt-4.1", text="hello world"))
    assert counted.tokens.vocabulary == "o200k_base", counted
    expected = {pb.COUNT_METHOD_EXACT: 2, pb.COUNT_METHOD_UPPER_BOUND: 11}
    assert counted.tokens.tokens == expected[counted.tokens.method], counted
    assert not counted.message_tokens


def messages_are_counted_one_by_one(w):
    for model in ("gpt-4.1", "claude-sonnet-4.5", "gemini-2.5-flash", "deepseek-v3.2"):
        messages = [user("One."), user("A rather longer message, in English.")]
        counted = w.client.CountTokens(pb.CountTokensRequest(model=model, messages=messages))
        each = list(counted.message_tokens)
        assert len(each) == 2 and 0 < each[0] < each[1], counted
        assert counted.tokens.tokens >= sum(each), counted
        tool = pb.Tool(name="f", description="does it", parameters="{}")
        more = w.client.CountTokens(pb.CountTokensRequest(
            model=model, messages=messages, tools=[tool]))
        assert more.tokens.tokens > counted.tokens.tokens, model


def what_cannot_be_counted(w):
    refused("INVALID_ARGUMENT", "FIELD_INVALID", w.client.CountTokens,
            pb.CountTokensRequest(model="nobody-knows", text="x"))
    refused("INVALID_ARGUMENT", "FIELD_INVALID", w.client.CountTokens,
            pb.CountTokensRequest(model="gpt-4.1", text="x", messages=[user("y")]))
