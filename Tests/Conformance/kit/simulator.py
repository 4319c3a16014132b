"""relay-sim from outside: its script, its holds, its log."""

import json
import time
import urllib.request


class Simulator:
    """The control interface of a running relay-sim."""

    def __init__(self, url, log):
        self._url, self._log = url, log

    def _control(self, name, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self._url}/sim/{name}", data=data, headers={"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def script(self, *steps, default=None):
        body = {"steps": list(steps)}
        if default is not None:
            body["default"] = default
        return self._control("script", body)

    def hold(self):
        return self._control("hold", {})

    def release(self):
        return self._control("release", {})

    def reset(self):
        return self._control("reset", {})

    def state(self):
        return self._control("state")

    def wait_held(self, count=1, seconds=10):
        """Until so many calls are held."""
        end = time.monotonic() + seconds
        while self.state()["held"] < count:
            assert time.monotonic() < end, f"no call is held: {self.state()}"
            time.sleep(0.01)

    def log(self):
        """Every call that came, in order; how streams ended is told elsewhere."""
        with open(self._log, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file if line.endswith("\n")]
        return [line for line in lines if "stream" not in line]

    def attempts(self):
        return [line["attempt"] for line in self.log()]
