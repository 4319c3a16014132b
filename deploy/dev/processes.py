"""Children that outlive the shell which started them, and that are ended only if still ours."""

import os
import signal
import subprocess
import time
from pathlib import Path


class StackError(Exception):
    """What a person must know; printed without a trace."""


def start_time(pid):
    """When the process began, in clock ticks since boot; None if it is gone or a zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The command's name, in brackets, may hold anything.
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


class Child:
    """A process by pid and start time, so that a pid used again is never taken for it."""

    def __init__(self, pid, started, popen=None):
        self.pid, self.started, self._popen = pid, started, popen

    @classmethod
    def spawn(cls, command, environment, stdout, stderr):
        """Starts a process in a session of its own. `stdout` is made anew, `stderr` grows."""
        with open(stdout, "wb") as out, open(stderr, "ab") as error:
            popen = subprocess.Popen(
                [str(part) for part in command], env=environment, stdin=subprocess.DEVNULL,
                stdout=out, stderr=error, start_new_session=True)
        return cls(popen.pid, start_time(popen.pid), popen)

    def is_alive(self):
        if self._popen is not None and self._popen.poll() is not None:
            return False
        return self.started is not None and start_time(self.pid) == self.started

    def tell(self, number):
        """Sends a signal, if it is still ours."""
        if self.is_alive():
            os.kill(self.pid, number)

    def exit_code(self, timeout):
        """Waits for the end of a child of this process."""
        return self._popen.wait(timeout)

    def end(self, with_signal=signal.SIGTERM, grace=40.0):
        """Asks it to end, and after the grace makes it."""
        for number, seconds in ((with_signal, grace), (signal.SIGKILL, 5.0)):
            if not self.is_alive():
                return
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return
            wait_for(lambda: not self.is_alive(), seconds)


def wait_for(condition, seconds, pause=0.02):
    """Whether the condition came true in time; its value if so."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > end:
            return value
        time.sleep(pause)


def announced_address(child, stdout, prefix, seconds=30.0):
    """What follows the prefix in the first line that a child prints; None if it never does."""

    def look():
        text = Path(stdout).read_text(errors="replace")
        for line in text.split("\n")[:-1]:
            if line.startswith(prefix):
                return line[len(prefix):].strip()
        return None if child.is_alive() else "gone"

    found = wait_for(look, seconds)
    return None if found == "gone" else found
