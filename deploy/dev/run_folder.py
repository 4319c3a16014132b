"""The folder .run of the local stack: its lock, its state, its clean-up."""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import sys
from pathlib import Path

from processes import Child, StackError, wait_for
from stack import ROOT, Database, Stack

RUN = ROOT / ".run"
LOGS = RUN / "logs"
STATE = RUN / "state.json"
LOCK_SECONDS = 120


@contextlib.contextmanager
def locked():
    """One `make up` or `make down` at a time: the lock is the folder's own."""
    RUN.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(RUN, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if not wait_for(lambda: _try_lock(descriptor), LOCK_SECONDS, pause=0.1):
            raise StackError("another `make up` or `make down` is at work")
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor):
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False


def save(stack):
    state = {
        "database": str(stack.database.folder) if stack.database else None,
        "children": {name: [c.pid, c.started] for name, c in stack.children.items()},
    }
    temporary = STATE.with_suffix(".new")
    temporary.write_text(json.dumps(state))
    temporary.rename(STATE)


def load():
    """The stack that .run speaks of; None if there is none."""
    if not STATE.exists():
        return None
    state = json.loads(STATE.read_text())
    stack = Stack(RUN, LOGS, save)
    if state["database"]:
        stack.database = Database(state["database"])
    stack.children = {name: Child(*pair) for name, pair in state["children"].items()}
    return stack


def clear(stack):
    """Stops the stack and removes all but the logs."""
    if stack is not None:
        stack.stop()
    for path in RUN.iterdir():
        if path == LOGS:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def leave_on_signals():
    """TERM and HUP end the program as INT does: through its clean-up."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda found, _: sys.exit(128 + found))


def undisturbed():
    """From here on, signals do not cut the clean-up short."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
