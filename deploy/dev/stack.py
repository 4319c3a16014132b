"""A local stack: private PostgreSQL, migrated and seeded; relay-sim or a real relay; recountd.

Used by `make up`, `make demo` and the conformance tests. Secrets lie in files of mode 0600 and
are never in an argument or in the environment.
"""

import json
import os
import secrets
import subprocess
import tempfile
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

from processes import Child, StackError, announced_address

ROOT = Path(__file__).resolve().parents[2]
TENANT = "acme"
DEFAULT_MODEL = "gpt-4.1"
PRICES = ROOT / "deploy/prices/catalogue.json"
CATALOGUE = ROOT / "deploy/catalogue.json"


@dataclass
class Relay:
    """Where recountd sends its calls."""

    url: str
    key_file: Path
    model: str = DEFAULT_MODEL
    models: str | None = None


def binary(name):
    folder = Path(os.environ.get("RECOUNT_BIN", ROOT / ".build/debug"))
    path = folder / name
    if not path.exists():
        raise StackError(f"{path} is not built; run `make build`")
    return path


def clean_environment():
    """This process's environment without what would configure a stack by accident."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("RECOUNT_", "RELAY_", "PG"))}
    return kept | {"SWIFT_BACKTRACE": "enable=no"}


def run(command, environment=None, text=None):
    """Runs to the end; its stdout. A failure shows what it said."""
    done = subprocess.run(
        [str(part) for part in command], env=environment or clean_environment(), input=text,
        stdin=None if text is not None else subprocess.DEVNULL, capture_output=True, text=True,
        timeout=180, check=False)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise StackError(f"{Path(command[0]).name} failed ({done.returncode}): {said}")
    return done.stdout


def secret_file(path, secret=None):
    """Makes a file of mode 0600 with one line; a random one if none is given."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write((secret or secrets.token_hex(24)) + "\n")
    return Path(path)


class Database:
    """A private PostgreSQL with one database, `recount`."""

    def __init__(self, folder):
        self.folder = Path(folder)

    @staticmethod
    def new_folder():
        """Directly under the temporary folder: as root, the server's user must get in."""
        return Path(tempfile.gettempdir()) / f"recount-{secrets.token_hex(5)}.pg"

    def url(self, role):
        host = urllib.parse.quote(str(self.folder), safe="")
        return f"postgresql://{role}@{host}:5432/recount"

    def start(self, fast=False):
        flags = ["--fast"] if fast else []
        run([ROOT / "deploy/dev/postgres.sh", "start", self.folder, *flags])
        superuser = self.url("postgres").replace("/recount", "/postgres")
        run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", "CREATE DATABASE recount", superuser])

    def migrate(self):
        self.recount("migrate", role="postgres")

    def recount(self, *arguments, role="recount_admin"):
        """Runs the admin command line on this database; its stdout."""
        environment = clean_environment() | {"RECOUNT_DATABASE_URL": self.url(role)}
        return run([binary("recount"), *arguments], environment)

    def query(self, sql, role="recount_admin"):
        """Rows of a query, each a list of texts."""
        psql = ["psql", "-XqAt", "-F", "\x1f", "-v", "ON_ERROR_STOP=1", self.url(role)]
        out = run(psql, text=sql)
        return [line.split("\x1f") for line in out.splitlines()]

    def seed(self, key_file):
        """A tenant, the catalogue's prices, and a key, whose secret goes to `key_file`."""
        self.recount("tenant", "create", TENANT, "--name", "Acme", "--currency", "USD")
        self.recount("price", "apply", "-f", PRICES, "--yes")
        self.recount("key", "create", "--tenant", TENANT, "--name", "demo",
                     "--secret-file", key_file)
        os.chmod(key_file, 0o600)

    def stop(self):
        run([ROOT / "deploy/dev/postgres.sh", "stop", self.folder])


class Stack:
    """What was started, in order to be stopped; `saved` is called at each step of that."""

    def __init__(self, folder, logs, saved=lambda stack: None):
        self.folder, self.logs, self._saved = Path(folder), Path(logs), saved
        self.database = None
        self.children = {}

    def start_database(self, fast=False):
        self.database = Database(Database.new_folder())
        self._saved(self)
        self.database.start(fast)
        self.database.migrate()

    def start_simulator(self, log):
        """relay-sim on a port of the system's choice; what recountd needs of it."""
        key_file = secret_file(self.folder / "relay-key")
        address = self._serve(
            "relay-sim", ["--key-file", key_file, "--log", log], clean_environment(),
            "listening on ", self.logs / "relay-sim.stderr")
        return Relay(f"http://{address}/v1", key_file)

    def start_server(self, relay, extra=None):
        """recountd on a port of the system's choice; its host:port."""
        environment = clean_environment() | server_environment(self.database, relay)
        return self._serve(
            "recountd", [], environment | (extra or {}), "recountd listening on ",
            self.logs / "recountd.jsonl")

    def _serve(self, name, arguments, environment, announcement, stderr):
        stdout = self.folder / f"{name}.out"
        child = Child.spawn([binary(name), *arguments], environment, stdout, stderr)
        self.children[name] = child
        self._saved(self)
        address = announced_address(child, stdout, announcement)
        if address is None:
            child.end()
            tail = "\n".join(stderr.read_text(errors="replace").splitlines()[-5:])
            raise StackError(f"{name} does not serve:\n{tail}")
        return address

    def stop(self):
        """Ends all of it, the server first, so that it can still settle its turns."""
        for name in ("recountd", "relay-sim"):
            if name in self.children:
                self.children[name].end()
        if self.database is not None:
            self.database.stop()


def server_environment(database, relay):
    environment = {
        "RECOUNT_LISTEN": "127.0.0.1:0",
        "RECOUNT_DATABASE_URL": database.url("recount_server"),
        "RECOUNT_RELAY_URL": relay.url,
        "RECOUNT_RELAY_CREDENTIAL_FILE": str(relay.key_file),
        "RECOUNT_CATALOGUE": str(CATALOGUE),
    }
    if relay.models:
        environment["RECOUNT_RELAY_MODELS"] = relay.models
    if relay.url.startswith("http://"):
        environment["RECOUNT_RELAY_ALLOWS_PLAIN_HTTP"] = "true"
    return environment


def relay_from_environment():
    """The relay that RELAY_URL, RELAY_KEY_FILE and RELAY_MODEL name; None for the simulator.

    RELAY_MODEL is a model of the catalogue, or any other one of the relay's, which then stands in
    for gpt-4.1 with that one's window and prices.
    """
    url = os.environ.get("RELAY_URL")
    if not url:
        return None
    key_file = Path(os.environ.get("RELAY_KEY_FILE", ""))
    if not key_file.is_file():
        raise StackError("RELAY_URL needs RELAY_KEY_FILE=FILE, with the relay's key in one line")
    name = os.environ.get("RELAY_MODEL") or DEFAULT_MODEL
    known = [model["id"] for model in json.loads(CATALOGUE.read_text())["models"]]
    if name in known:
        return Relay(url, key_file.resolve(), name, name)
    print(f"{name} stands in for {DEFAULT_MODEL}, with that one's window and prices")
    return Relay(url, key_file.resolve(), DEFAULT_MODEL, f"{DEFAULT_MODEL}={name}")
