"""Append and ListMessages: order, pages, guards, size, every character."""

from kit.client import ask, pb, refused, user

TEXTS = (
    "plain", " leading and trailing ", "Zoë naïve Ünïcödé", "日本語 中文 한국어", "العربية עברית",
    "👍🏽 👨‍👩‍👧‍👦 🇩🇪 ❤️", "e\u0301 \u200b \u2028 \ufeff \U0010ffff \ufffd", "tab\tnew\nline\r\n",
    "\x01\x02\x1f\x7f\u0085", "\"quotes\" \\ back / slash </script>", "line\n" * 1000)


def appended_messages_come_back_as_they_were(w):
    name = w.conversation()
    new = [user(text, metadata={"n": str(n)}) for n, text in enumerate(TEXTS)]
    new.append(pb.NewMessage(role=pb.ROLE_DEVELOPER, text="dev", name="builder"))
    new.append(pb.NewMessage(role=pb.ROLE_SYSTEM, text="sys"))
    new.append(pb.NewMessage(role=pb.ROLE_ASSISTANT, text="answer"))
    new.append(pb.NewMessage(role=pb.ROLE_USER, parts=[
        pb.ContentPart(text="one"), pb.ContentPart(text="two")]))
    added = w.client.Append(pb.AppendRequest(conversation_id=name, messages=new))
    assert (added.first_seq, added.last_seq) == (1, len(new)), added
    found = w.messages(name)
    assert [message.seq for message in found] == list(range(1, len(new) + 1))
    for sent, kept in zip(new, found):
        assert (sent.role, sent.text, sent.name, list(sent.parts), dict(sent.metadata)) == (
            kept.role, kept.text, kept.name, list(kept.parts), dict(kept.metadata)), kept.seq
        assert sent.HasField("text") == kept.HasField("text"), kept.seq
        assert kept.state == pb.MESSAGE_STATE_ACTIVE and kept.tokens.tokens > 0
        assert kept.tokens.vocabulary and kept.tokens.method
        assert kept.create_time.seconds > 0 and not kept.HasField("generation_id")


def every_character_survives_a_turn(w):
    name = w.conversation(system_prompt="Ω≈ç√ 🙂")
    text = "".join(TEXTS[1:6])
    answer = w.client.Generate(ask(name, text))
    assert f"first user line: {text[:20]}" in answer.message.text, answer.message.text


def pages_are_whole_and_in_order(w):
    name = w.conversation()
    w.client.Append(pb.AppendRequest(
        conversation_id=name, messages=[user(f"m{n}") for n in range(1, 121)]))
    seen, token, sizes = [], None, []
    while True:
        request = pb.ListMessagesRequest(conversation_id=name)
        if token:
            request.page_token = token
        page = w.client.ListMessages(request)
        seen += [message.text for message in page.messages]
        sizes.append(len(page.messages))
        if not page.HasField("next_page_token"):
            break
        token = page.next_page_token
    assert sizes == [50, 50, 20], sizes
    assert seen == [f"m{n}" for n in range(1, 121)]
    after = w.client.ListMessages(pb.ListMessagesRequest(
        conversation_id=name, after_seq=118, page_size=7))
    assert [message.seq for message in after.messages] == [119, 120]
    failed = w.client.ListMessages(pb.ListMessagesRequest(
        conversation_id=name, state=pb.MESSAGE_STATE_FAILED))
    assert not failed.messages
    other = w.conversation()
    refused("INVALID_ARGUMENT", "FIELD_INVALID", w.client.ListMessages,
            pb.ListMessagesRequest(conversation_id=other, page_token=token))


def the_guard_holds(w):
    name = w.conversation()
    request = pb.AppendRequest(conversation_id=name, messages=[user("a")], expected_last_seq=0)
    w.client.Append(request)
    failure = refused("ABORTED", "CONVERSATION_CHANGED", w.client.Append, request)
    assert failure.metadata["last_seq"] == "1", failure
    failure = refused("ABORTED", "CONVERSATION_CHANGED", w.client.Generate,
                      ask(name, expected_last_seq=0))
    assert failure.metadata["last_seq"] == "1", failure
    w.client.Generate(ask(name, expected_last_seq=1))
    assert len(w.messages(name)) == 3


def three_mebibytes(w):
    name = w.conversation()
    text = ("0123456789abcdef" * 64 * 1024 * 3)[:3 << 20]
    w.client.Append(pb.AppendRequest(conversation_id=name, messages=[user(text)]), timeout=60)
    page = w.client.ListMessages(pb.ListMessagesRequest(conversation_id=name), timeout=60)
    assert page.messages[0].text == text
    answer = w.client.Generate(ask(name, "And now?"), timeout=60)
    context = answer.receipt.context
    assert (context.verbatim_messages, context.dropped_messages) == (1, 1), context


def more_than_a_message_may_have(w):
    name = w.conversation()
    text = "x" * ((4 << 20) + 1)
    failure = refused("INVALID_ARGUMENT", "FIELD_INVALID", w.client.Append, pb.AppendRequest(
        conversation_id=name, messages=[user(text)]), timeout=60)
    assert failure.fields()[0].startswith("messages[0]"), failure.fields()
    assert not w.messages(name)
