"""SIGKILL at named points and at random moments; a restart; then all must add up."""

import random
import signal
import threading
import time

import grpc

from kit.client import Failure, ask, pb, same

POINTS = ("after_begin", "after_request_headers", "after_first_byte", "before_settle",
          "after_commit")
ROUNDS_EACH = 4
LEASE = {"RECOUNT_LEASE_SECONDS": "1"}


def _outcome(w, request):
    """The result of a repeat, once the turn is resolved: an answer or a failure."""

    def look():
        try:
            return w.client.Generate(request)
        except grpc.RpcError as error:
            failure = Failure(error)
            return None if failure.reason == "TURN_IN_PROGRESS" else failure

    return w.wait(look, seconds=15, what="no reaper resolved the turn")


def _booked(w):
    """The attempt ids of every row of an attempt."""
    rows = w.db.query("SELECT attempt_id FROM turn UNION SELECT attempt_id FROM attempt")
    return {row[0] for row in rows}


def _answer(w, name, text):
    """An answer; on a busy machine a lease of a second lapses, and then nothing is sent."""
    for _ in range(20):
        try:
            return w.client.Generate(ask(name, text))
        except grpc.RpcError as error:
            failure = Failure(error)
            assert failure.reason == "STORAGE_UNAVAILABLE", failure
            time.sleep(0.2)
    raise AssertionError("the server has no lease")


def _die(w, name):
    """Generates until that kills the server; the request that did."""
    for _ in range(20):
        request = ask(name, "Lost?", request_id=w.new_id("r"))
        try:
            w.client.Generate(request)
            raise AssertionError("the kill point did not kill")
        except grpc.RpcError as error:
            failure = Failure(error)
            assert failure.code == grpc.StatusCode.UNAVAILABLE, failure
            if failure.reason is None:
                return request
            assert failure.reason == "STORAGE_UNAVAILABLE", failure
            time.sleep(0.2)
    raise AssertionError("the server has no lease")


def _round(w, point):
    """One crash; whether it was one with a relay asked, if the point is after that."""
    name = w.conversation()
    known = _answer(w, name, "Known.")
    w.restart(**LEASE, RECOUNT_KILL_POINT=point)
    before = len(w.sim.log())
    request = _die(w, name)
    assert w.server.exit_code(10) == -signal.SIGKILL
    w.client.close()
    w.serve(**LEASE)
    outcome = _outcome(w, request)
    if point != "after_begin" and len(w.sim.log()) == before:
        return False
    if point == "after_commit":
        assert not isinstance(outcome, Failure) and outcome.replayed, outcome
    else:
        assert isinstance(outcome, Failure), f"{point}: {outcome}"
        assert outcome.reason == "UPSTREAM_OUTCOME_UNKNOWN", outcome
    calls = w.sim.log()[before:]
    assert len(calls) == (point != "after_begin"), (point, calls)
    missing = {line["attempt"] for line in calls} - _booked(w)
    assert not missing, f"upstream calls without an attempt row: {missing}"
    kept = w.messages(name)
    assert kept[1].text == known.message.text, "an acknowledged answer is gone"
    answer = _answer(w, name, "Next.")
    shown = 5 if point == "after_commit" else 3
    assert f"messages: {shown}" in answer.message.text, answer.message.text
    return True


def every_kill_point(w):
    w.restart(**LEASE)
    for number in range(ROUNDS_EACH):
        for point in POINTS:
            try:
                assert any(_round(w, point) for _ in range(5)), "the relay was never asked"
            except Exception as error:
                raise AssertionError(f"{point}, round {number + 1}: {error}") from error
    w.restart()


class _Caller(threading.Thread):
    """Holds a conversation, repeats what it is not sure of, remembers what was acknowledged."""

    def __init__(self, w, number, stop):
        super().__init__(daemon=True)
        self.w, self.number, self.stop = w, number, stop
        self.name = w.conversation()
        self.answers, self.unsure, self.problem = [], [], None

    def run(self):
        try:
            turn = 0
            while not self.stop.is_set():
                turn += 1
                request = ask(self.name, f"{self.number}.{turn}", request_id=f"{self.name}.{turn}")
                if not self._turn(request):
                    self.unsure.append(request)
        except Exception as error:
            self.problem = error

    def _turn(self, request):
        """Whether it was answered; a terminal failure and the end of the run are not."""
        while not self.stop.is_set():
            try:
                self.answers.append((request, self.w.client.Generate(request, timeout=5)))
                return True
            except grpc.RpcError as error:
                failure = Failure(error)
                if failure.reason in ("UPSTREAM_OUTCOME_UNKNOWN", "STORAGE_UNAVAILABLE"):
                    return False
                assert failure.reason in (None, "TURN_IN_PROGRESS", "SHUTTING_DOWN"), failure
            except ValueError:  # The channel was closed under the call.
                pass
            time.sleep(0.02)
        return False


def random_kills_under_load(w):
    w.restart(**LEASE)
    w.sim.script(default={"latency_ms": 10})
    before = len(w.sim.log())
    stop = threading.Event()
    callers = [_Caller(w, number, stop) for number in range(6)]
    for caller in callers:
        caller.start()
    for _ in range(5):
        time.sleep(random.uniform(0.2, 1.2))
        w.restart(signal.SIGKILL, **LEASE)
    time.sleep(2)
    stop.set()
    for caller in callers:
        caller.join(30)
        assert not caller.is_alive() and caller.problem is None, caller.problem
    answered = [pair for caller in callers for pair in caller.answers]
    assert len(answered) >= 20, f"only {len(answered)} turns were answered"
    for request, answer in answered:
        again = w.client.Generate(request)
        assert same(again) == same(answer), "an acknowledged answer changed"
    unsure = [request for caller in callers for request in caller.unsure]
    outcomes = [_outcome(w, request) for request in unsure]
    calls = w.sim.log()[before:]
    attempts = [line["attempt"] for line in calls]
    assert len(set(attempts)) == len(attempts), "an attempt was sent twice"
    assert set(attempts) <= _booked(w), "upstream calls without an attempt row"
    # What was never begun may be asked now; no request id was asked of the relay twice.
    assert len(attempts) <= len(answered) + len(outcomes), (len(attempts), len(answered))
    for caller in callers:
        _answer(w, caller.name, "Still there?")
        usage = w.client.GetUsage(pb.GetUsageRequest(conversation_id=caller.name)).total
        assert usage.requests >= len(caller.answers) + 1
    w.restart()
