"""The stack that the scenarios share: started once, its server restarted at will."""

import itertools
import signal
import sys
from pathlib import Path

import grpc

DEV = Path(__file__).resolve().parents[3] / "deploy/dev"
sys.path.insert(0, str(DEV))

from processes import wait_for  # noqa: E402
from stack import Stack, run  # noqa: E402


class World:
    """PostgreSQL, relay-sim and recountd, and a client with the key of tenant acme."""

    def __init__(self, folder):
        self.stack = Stack(folder, folder)
        self.folder = Path(folder)
        self._ids = itertools.count(1)
        self.name = "world"
        self.second = None

    def start(self):
        stubs = self.folder / "stubs"
        run([DEV / "python-stubs.py", stubs])
        sys.path.insert(0, str(stubs))
        self.stack.start_database(fast=True)
        self.db = self.stack.database
        key_file = self.folder / "api-key"
        self.db.seed(key_file)
        self.key = key_file.read_text().strip()
        log = self.folder / "relay-sim.jsonl"
        log.touch()
        self.relay = self.stack.start_simulator(log)
        from kit.simulator import Simulator
        self.sim = Simulator(self.relay.url.removesuffix("/v1"), log)
        self.serve()

    def serve(self, **extra):
        """Starts recountd and a client for it."""
        from kit.client import Client
        self.address = self.stack.start_server(self.relay, extra)
        self.client = Client(self.address, self.key)

    def second_server(self, **extra):
        """Another recountd on the same database; its address."""
        from stack import Stack
        folder = self.folder / "second"
        folder.mkdir(exist_ok=True)
        self.second = Stack(folder, folder)
        self.second.database = self.db
        return self.second.start_server(self.relay, extra)

    def end_second(self):
        if self.second is not None:
            self.second.children["recountd"].end()
        self.second = None

    @property
    def server(self):
        return self.stack.children["recountd"]

    def end_server(self, with_signal=signal.SIGTERM):
        """Ends recountd; its exit code."""
        self.client.close()
        self.server.end(with_signal)
        return self.server.exit_code(10)

    def restart(self, with_signal=signal.SIGTERM, **extra):
        self.end_server(with_signal)
        self.serve(**extra)

    def ensure_served(self):
        """After a scenario: a server with the usual settings, whatever happened."""
        if self.server.is_alive():
            return True
        self.client.close()
        self.serve()
        return False

    def server_tail(self, lines=12):
        text = (self.folder / "recountd.jsonl").read_text(errors="replace")
        return text.splitlines()[-lines:]

    def new_id(self, prefix="c"):
        """An id that no other scenario has."""
        return f"{prefix}-{self.name}-{next(self._ids)}"

    def conversation(self, **fields):
        """A new conversation with gpt-4.1; its id."""
        from kit.client import pb
        fields.setdefault("model", "gpt-4.1")
        request = pb.CreateRequest(conversation_id=self.new_id(), **fields)
        return self.client.Create(request).conversation.id

    def new_key(self, *options, tenant="acme", name=None):
        """Another key, made by the admin command line; its text."""
        name = name or self.new_id("key")
        path = self.folder / name
        self.db.recount("key", "create", "--tenant", tenant, "--name", name,
                        "--secret-file", path, *options)
        key = path.read_text().strip()
        self.wait(lambda: self._knows(key), seconds=3, what="a new key is not known")
        return key

    def _knows(self, key):
        """Whether the server has heard of a key; what it may do is another question."""
        from kit.client import Client, Failure, pb
        client = Client(self.address, key)
        try:
            client.GetUsage(pb.GetUsageRequest())
            return True
        except grpc.RpcError as error:
            return Failure(error).reason != "API_KEY_INVALID"
        finally:
            client.close()

    def messages(self, conversation):
        from kit.client import pb
        request = pb.ListMessagesRequest(conversation_id=conversation, page_size=1000)
        return list(self.client.ListMessages(request).messages)

    def wait(self, condition, seconds=10, what="it did not happen in time"):
        found = wait_for(condition, seconds)
        assert found, what
        return found

    def stop(self):
        self.end_second()
        self.stack.stop()
