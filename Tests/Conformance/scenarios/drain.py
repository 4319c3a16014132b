"""SIGTERM: running turns end first, new calls go elsewhere, the exit code is 0."""

import signal
import time

import grpc

from kit.client import Failure, ask, pb


def a_running_turn_is_let_end(w):
    name = w.conversation()
    w.sim.hold()
    future = w.client.future("Generate", ask(name, request_id=w.new_id("r")))
    w.sim.wait_held()
    w.server.tell(signal.SIGTERM)
    time.sleep(0.5)
    assert w.server.is_alive(), "it went with a turn at work"
    try:
        w.client.Get(pb.GetRequest(conversation_id=name), timeout=2)
    except grpc.RpcError as error:
        failure = Failure(error)
        assert failure.code.name in ("UNAVAILABLE", "DEADLINE_EXCEEDED"), failure
    w.sim.release()
    answer = future.result(timeout=20)
    assert w.server.exit_code(20) == 0
    w.serve()
    assert w.messages(name)[1].text == answer.message.text


def a_turn_that_nobody_waits_for_is_let_end(w):
    name = w.conversation()
    w.sim.hold()
    future = w.client.future("Generate", ask(name))
    w.sim.wait_held()
    future.cancel()
    w.server.tell(signal.SIGTERM)
    time.sleep(0.3)
    w.sim.release()
    assert w.server.exit_code(20) == 0
    w.serve()
    roles = [message.role for message in w.messages(name)]
    assert roles == [pb.ROLE_USER, pb.ROLE_ASSISTANT], roles
