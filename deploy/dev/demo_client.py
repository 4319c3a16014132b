"""Three turns of one conversation through a stock gRPC client, with receipts and the sums."""

import json
from decimal import Decimal

import grpc
from recount.v1 import (conversation_pb2, conversation_service_pb2_grpc, generation_pb2,
                        message_pb2, receipt_pb2, usage_pb2)

QUESTIONS = (
    "Write a binary search tree in Python.",
    "Add deletion to it.",
    "Keep it balanced.",
)
SYSTEM_PROMPT = "You are a terse programmer. Answer in code."
CLASSES = ("uncached_input", "cache_read", "cache_write", "visible_output", "reasoning")
SECONDS = 700


class DemoError(Exception):
    """What does not add up."""


class Client:
    """The service, with the key in each call's metadata."""

    def __init__(self, address, key_file):
        with open(key_file, encoding="ascii") as file:
            self._metadata = [("authorization", "Bearer " + file.read().strip())]
        self._stub = conversation_service_pb2_grpc.ConversationServiceStub(
            grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]))

    def __getattr__(self, method):
        call = getattr(self._stub, method)
        return lambda request: call(request, metadata=self._metadata, timeout=SECONDS)


def hold(client, model):
    """Asks the questions; the answers, each printed with its receipt."""
    made = client.Create(conversation_pb2.CreateRequest(
        model=model, system_prompt=SYSTEM_PROMPT)).conversation
    print(f"conversation {made.id}, model {made.model}")
    answers = []
    for number, question in enumerate(QUESTIONS, 1):
        answer = client.Generate(generation_pb2.GenerateRequest(
            conversation_id=made.id,
            message=message_pb2.NewMessage(role=message_pb2.ROLE_USER, text=question),
            request_id=f"demo-{number}"))
        answers.append(answer)
        print(f"\nturn {number}: {question}")
        show(answer)
    return made.id, answers


def show(answer):
    for line in answer.message.text.split("\n")[:6]:
        print(f"  | {line[:92]}")
    receipt = answer.receipt
    tokens = ", ".join(
        f"{name.replace('_', ' ')} {getattr(receipt.tokens, name).tokens}" for name in CLASSES)
    sources = {receipt_pb2.FigureSource.Name(getattr(receipt.tokens, name).source)
               .removeprefix("FIGURE_SOURCE_").lower()
               for name in CLASSES if getattr(receipt.tokens, name).tokens}
    cost, timings = receipt.cost, receipt.timings
    print(f"  tokens    {tokens}; total {receipt.tokens.total} ({', '.join(sorted(sources))})")
    print(f"  cost      {cost.contracted} {cost.currency} contracted, {cost.list} at list price")
    print(f"  context   {receipt.context.verbatim_messages} messages verbatim, "
          f"{receipt.context.dropped_messages} dropped")
    print(f"  overhead  {timings.overhead_ms:.1f} ms of {timings.total_ms:.1f} ms")


def check_memory(answers):
    """The simulator quotes what it was sent: the third request began with the first question."""
    lines = dict(line.split(": ", 1) for line in answers[2].message.text.split("\n")
                 if ": " in line)
    if lines.get("first user line") != QUESTIONS[0]:
        raise DemoError("the third request did not carry the first question")
    expected = str(2 * len(QUESTIONS) - 1 + 1)
    if lines.get("messages") != expected:
        raise DemoError(f"the third request had {lines.get('messages')} messages, not {expected}")
    print(f"\nthe third request carried the first: {expected} messages with the system prompt, "
          "the first question among them")


def sums_of_receipts(receipts):
    sums = {name: sum(getattr(r.tokens, name).tokens for r in receipts) for name in CLASSES}
    sums["total"] = sum(r.tokens.total for r in receipts)
    sums["contracted"] = sum(Decimal(r.cost.contracted) for r in receipts)
    sums["list"] = sum(Decimal(r.cost.list) for r in receipts)
    return sums


def sums_of_usage(usage):
    sums = {name: getattr(usage, f"{name}_tokens") for name in CLASSES}
    sums["total"] = usage.total_tokens
    sums["contracted"] = Decimal(usage.cost.contracted)
    sums["list"] = Decimal(usage.cost.list)
    return sums


def sums_of_log(path):
    """The classes as relay-sim's log has them; prompt_tokens includes what was cached."""
    sums = dict.fromkeys(CLASSES, 0)
    with open(path, encoding="utf-8") as file:
        usages = [json.loads(line)["usage"] for line in file]
    for usage in filter(None, usages):
        cached = usage["prompt_tokens_details"]["cached_tokens"]
        reasoning = usage["completion_tokens_details"]["reasoning_tokens"]
        sums["uncached_input"] += usage["prompt_tokens"] - cached
        sums["cache_read"] += cached
        sums["visible_output"] += usage["completion_tokens"] - reasoning
        sums["reasoning"] += reasoning
    sums["total"] = sum(sums.values())
    return sums


def check_sums(client, conversation, answers, log):
    total = client.GetUsage(usage_pb2.GetUsageRequest(conversation_id=conversation)).total
    used = sums_of_usage(total)
    print(f"\nGetUsage: {total.requests} requests, {total.total_tokens} tokens, "
          f"{total.cost.contracted} {total.cost.currency} contracted, "
          f"{total.cost.list} at list price")
    received = sums_of_receipts([answer.receipt for answer in answers])
    if received != used or total.requests != len(answers):
        raise DemoError(f"the receipts sum to {received}, GetUsage says {used}")
    print("  equal to the sum of the receipts")
    if log is not None:
        logged = sums_of_log(log)
        if any(logged[name] != used[name] for name in logged):
            raise DemoError(f"the relay's log sums to {logged}, GetUsage says {used}")
        print("  equal to the sum of relay-sim's log")


def demonstrate(address, key_file, model, log):
    """The whole demonstration; `log` is relay-sim's, None for a real relay."""
    client = Client(address, key_file)
    conversation, answers = hold(client, model)
    if log is not None:
        check_memory(answers)
    check_sums(client, conversation, answers, log)
