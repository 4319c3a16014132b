"""Bytes that are no request: a typed error where there can be one, and the server goes on."""

import os
import random

import grpc

from kit import raw
from kit.client import ask, check_failure, pb, refused

INVALID, INTERNAL, EXHAUSTED, UNIMPLEMENTED = 3, 13, 8, 12


def _goes_on(w):
    pid = w.server.pid
    w.client.GetUsage(pb.GetUsageRequest())
    assert w.server.pid == pid and w.server.is_alive()


def _invalid_bytes(w, method, body):
    try:
        w.client.raw(method, body)
    except grpc.RpcError as error:
        return check_failure(error, "INVALID_ARGUMENT", "FIELD_INVALID")
    raise AssertionError(f"{method} took {body[:40]!r}")


def invalid_utf8(w):
    name = w.conversation()
    _invalid_bytes(w, "Create", b"\x12\x01\xff")
    for bad in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"):
        message = b"\x08\x03\x12" + bytes([len(bad)]) + bad
        body = b"\x0a" + bytes([len(name)]) + name.encode() + b"\x12" + bytes(
            [len(message)]) + message
        _invalid_bytes(w, "Append", body)
        _invalid_bytes(w, "Generate", body)
    assert not w.messages(name)


def bytes_that_are_no_message(w):
    for body in (b"\x12\x05ab", b"\xff", b"\x0a", b"\x12\xff\xff\xff\xff\x0f", b"\x0f\x01",
                 b"\x10\x01\x12"):
        _invalid_bytes(w, "Create", body)
    twice = pb.CreateRequest(model="gpt-4.1", message=pb.NewMessage(role=3, text="a"))
    body = twice.SerializeToString()
    _invalid_bytes(w, "Create", body + body)
    _goes_on(w)


def deep_nesting_and_unknown_fields(w):
    unknown = b"\xfa\x7f\x03abc"
    body = pb.CreateRequest(model="gpt-4.1").SerializeToString() + unknown
    assert pb.CreateResponse.FromString(w.client.raw("Create", body)).conversation.id
    try:
        w.client.raw("Create", body + b"\xfb\x7f" * 50_000)
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.INVALID_ARGUMENT, error
    _goes_on(w)


def mutated_requests(w):
    """Real requests with random bytes changed, cut out or put in."""
    name = w.conversation()
    whole = ask(name, "Hello? 🙂" * 3, request_id="r").SerializeToString()
    seen = set()
    for _ in range(300):
        body = bytearray(whole)
        for _ in range(random.randint(1, 4)):
            at = random.randrange(len(body))
            kind = random.random()
            if kind < 0.5:
                body[at] = random.randrange(256)
            elif kind < 0.75:
                del body[at:at + random.randint(1, 4)]
            else:
                body[at:at] = os.urandom(random.randint(1, 4))
        try:
            w.client.raw("Append", bytes(body))
            seen.add("OK")
        except grpc.RpcError as error:
            seen.add(error.code().name)
    assert seen <= {"OK", "INVALID_ARGUMENT", "NOT_FOUND", "ABORTED"}, seen
    _goes_on(w)


def bodies_that_lie_about_their_length(w):
    good = pb.GetUsageRequest().SerializeToString()
    for body, expected in (
            (b"\x00\x00\x00\x00\x64hello", {INVALID, INTERNAL}),
            (b"\x00\x00", {INVALID, INTERNAL}),
            (b"", {INVALID, INTERNAL, UNIMPLEMENTED}),
            (b"\x00\xff\xff\xff\xffhello", {EXHAUSTED}),
            (b"\x01\x00\x00\x00\x05hello", {INVALID, INTERNAL, UNIMPLEMENTED}),
            (b"\x07\x00\x00\x00\x00", {INVALID, INTERNAL}),
            ((b"\x00\x00\x00\x00\x00" + good) * 2, {INVALID, INTERNAL, UNIMPLEMENTED}),
            (b"\x00\x00\x00\x00\x02\x12", {INVALID, INTERNAL})):
        found = raw.call(w.address, w.key, "GetUsage", body)
        assert found in expected, (body, found)
    lying = raw.call(w.address, w.key, "GetUsage", b"\x00\x00\x00\x00\x00",
                     [(b"content-length", b"999")])
    assert lying in ("reset", "goaway", "closed", INVALID, INTERNAL), lying
    assert raw.call(w.address, w.key, "GetUsage", b"\x00\x00\x00\x00\x00") == 0
    _goes_on(w)


def http_1_on_the_port(w):
    for request in (b"GET / HTTP/1.1\r\nhost: x\r\n\r\n",
                    b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}",
                    b"GET / HTTP/1.1\r\nhost: x\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n"):
        answer = raw.send_and_read(w.address, request)
        assert not answer.startswith(b"HTTP/1.1 200"), answer
    _goes_on(w)


def garbage_on_the_port(w):
    hello = bytes.fromhex("16030100c8010000c40303") + os.urandom(200)
    for data in (os.urandom(4096), b"\x00" * 100, hello, raw.PREFACE + os.urandom(2000),
                 raw.PREFACE + raw.frame(raw.SETTINGS, 0, 0) + raw.frame(99, 255, 7, b"x" * 50)
                 + raw.frame(raw.HEADERS, 4, 2, b"\xff" * 40), raw.PREFACE[:10]):
        raw.send_and_read(w.address, data, seconds=1)
    _goes_on(w)


def connections_that_come_and_go(w):
    peers = [raw.connect(w.address) for _ in range(200)]
    for number, peer in enumerate(peers):
        if number % 2:
            peer.sendall(raw.PREFACE[:number % 24])
        peer.close()
    _goes_on(w)


def headers_that_are_too_large(w):
    from kit.client import Client
    client = Client(w.address, metadata=[
        ("authorization", f"Bearer {w.key}"), ("x-large", "y" * 200_000)])
    try:
        client.GetUsage(pb.GetUsageRequest())
        raise AssertionError("200,000 bytes of metadata were taken")
    except grpc.RpcError as error:
        assert error.code() != grpc.StatusCode.DEADLINE_EXCEEDED, error
    client.close()
    _goes_on(w)


def gzip_is_refused_or_understood(w):
    request = pb.CreateRequest(model="gpt-4.1", system_prompt="z" * 5000)
    try:
        w.client.stub.Create(request, timeout=10, metadata=w.client.metadata,
                             compression=grpc.Compression.Gzip)
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.UNIMPLEMENTED, error
    refused("NOT_FOUND", "CONVERSATION_NOT_FOUND", w.client.Get,
            pb.GetRequest(conversation_id=w.new_id()))
