"""A stock gRPC client: generated stubs, a deadline on every call, errors decoded."""

import importlib
from types import SimpleNamespace

import grpc
from google.rpc import error_details_pb2, status_pb2

FILES = ("context conversation errors generation message model options policy receipt stream "
         "tokens usage").split()
SECONDS = 20
DOMAIN = "recount.v1"
SIZES = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1),
         ("grpc.enable_retries", 0), ("grpc.enable_http_proxy", 0)]


def _names():
    """Every message, enum and enum value of recount.v1 in one place."""
    found = {}
    for file in FILES:
        module = importlib.import_module(f"recount.v1.{file}_pb2")
        for name in list(module.DESCRIPTOR.message_types_by_name):
            found[name] = getattr(module, name)
        for name, enum in module.DESCRIPTOR.enum_types_by_name.items():
            found[name] = getattr(module, name)
            found |= {value.name: value.number for value in enum.values}
    return SimpleNamespace(**found)


pb = _names()
service_grpc = importlib.import_module("recount.v1.conversation_service_pb2_grpc")


class Failure:
    """An error as a caller sees it."""

    def __init__(self, error):
        self.code = error.code()
        self.message = error.details()
        trailers = dict(error.trailing_metadata() or ())
        self.pushback = trailers.get("grpc-retry-pushback-ms")
        self.reason, self.domain, self.metadata, self.details = None, None, {}, {}
        raw = trailers.get("grpc-status-details-bin")
        if raw is None:
            return
        status = status_pb2.Status.FromString(raw)
        assert status.code == self.code.value[0], "the status in the details has another code"
        assert status.message == self.message, "the status in the details has another message"
        for packed in status.details:
            name = packed.type_url.rpartition(".")[2]
            detail = getattr(error_details_pb2, name)()
            assert packed.Unpack(detail), f"a {name} that does not parse"
            self.details[name] = detail
        info = self.details.get("ErrorInfo")
        if info is not None:
            self.reason, self.domain = info.reason, info.domain
            self.metadata = dict(info.metadata)

    def __str__(self):
        return f"{self.code.name} {self.reason} {self.metadata} {self.message!r}"

    def fields(self):
        """The fields that BadRequest names."""
        bad = self.details.get("BadRequest")
        return [violation.field for violation in bad.field_violations] if bad else []


def check_failure(error, code, reason):
    failure = Failure(error)
    assert failure.code.name == code and failure.reason == reason, (
        f"expected {code} {reason}, found {failure}")
    assert failure.domain == DOMAIN, f"domain {failure.domain!r}"
    assert failure.reason in {
        name.removeprefix("ERROR_REASON_") for name in pb.ErrorReason.keys()}
    assert failure.message, "an error without a message"
    if reason == "FIELD_INVALID":
        assert failure.fields(), f"FIELD_INVALID without BadRequest: {failure}"
    return failure


def refused(code, reason, call, *arguments, **options):
    """Calls, expects that error with its details, returns it."""
    try:
        answer = call(*arguments, **options)
    except grpc.RpcError as error:
        return check_failure(error, code, reason)
    text = " ".join(str(answer).split())[:200]
    raise AssertionError(f"expected {code} {reason}, but the call succeeded: {text}")


class Client:
    """One channel and one key."""

    def __init__(self, address, key=None, metadata=None):
        self.address = address
        self.channel = grpc.insecure_channel(address, options=SIZES)
        self.metadata = metadata or ([("authorization", f"Bearer {key}")] if key else [])
        self.stub = service_grpc.ConversationServiceStub(self.channel)

    def __getattr__(self, method):
        call = getattr(self.stub, method)
        return lambda request, timeout=SECONDS: call(
            request, timeout=timeout, metadata=self.metadata)

    def future(self, method, request, timeout=SECONDS):
        return getattr(self.stub, method).future(request, timeout=timeout, metadata=self.metadata)

    def raw(self, method, body, timeout=SECONDS):
        """Sends these bytes as the message; the answer's bytes."""
        call = self.channel.unary_unary(f"/recount.v1.ConversationService/{method}")
        return call(body, timeout=timeout, metadata=self.metadata)

    def close(self):
        self.channel.close()


def same(answer):
    """What a repeat must give again: all but the mark of a replay and the call's own timings."""
    copy = type(answer)()
    copy.CopyFrom(answer)
    copy.ClearField("replayed")
    copy.receipt.ClearField("timings")
    return copy


def user(text, **fields):
    return pb.NewMessage(role=pb.ROLE_USER, text=text, **fields)


def ask(conversation, text="Hello?", **fields):
    """A GenerateRequest with a user's message."""
    return pb.GenerateRequest(conversation_id=conversation, message=user(text), **fields)
