#!/usr/bin/python3
"""Holds recountd to its promises through a stock gRPC client, on a private stack.

    Tests/Conformance/run.py [FILE | FILE.SCENARIO]...

A scenario is a public function of a file in scenarios/; it takes the world and fails by raising.
RECOUNT_BIN names the folder of the built programs; .build/debug otherwise. RECOUNT_TEST_SEED
replays the random ones.
"""

import importlib
import os
import random
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.dont_write_bytecode = True

from kit.world import World  # noqa: E402
from run_folder import leave_on_signals, undisturbed  # noqa: E402

# In this order; the last ones stop the database and kill the server.
FILES = ("conversations messages tools tokens turns repeats waiting relays streams limits keys "
         "lists deletes unimplemented fields bytes usage commits drain storage crashes "
         "storms ledger").split()


def scenarios(wanted):
    """(name, function) of what is wanted, all if nothing is named."""
    for file in FILES:
        if wanted and not any(name.partition(".")[0] == file for name in wanted):
            continue
        module = importlib.import_module(f"scenarios.{file}")
        for name, function in list(vars(module).items()):
            if name.startswith("_") or getattr(function, "__module__", "") != module.__name__:
                continue
            if callable(function) and (
                    not wanted or file in wanted or f"{file}.{name}" in wanted):
                yield f"{file}.{name}", function


def complaint(error):
    """Where a scenario failed and why, without the machinery's frames."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__)
              if "/scenarios/" in frame.filename] or traceback.extract_tb(error.__traceback__)
    places = " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in reversed(frames))
    text = str(error) or frames[-1].line
    return f"{type(error).__name__} at {places}: {text[:800]}"


def attempt(world, name, function):
    """Runs one scenario; whether it passed and the server lived."""
    world.name = name.replace(".", "-").replace("_", "-")
    started = time.monotonic()
    problem = None
    try:
        world.sim.reset()
        function(world)
    except Exception as error:  # A scenario may fail in any way.
        problem = complaint(error)
    try:
        world.sim.reset()
        if not world.ensure_served():
            problem = (problem or "") + " [recountd was gone after it]"
    except Exception as error:
        problem = (problem or "") + f" [no server after it: {error}]"
    seconds = time.monotonic() - started
    if problem is None:
        print(f"ok    {name} ({seconds:.1f} s)", flush=True)
        return True
    print(f"FAIL  {name} ({seconds:.1f} s)\n      {problem}", flush=True)
    for line in world.server_tail():
        print(f"      recountd: {line[:300]}", flush=True)
    return False


def main():
    leave_on_signals()
    seed = os.environ.get("RECOUNT_TEST_SEED") or str(random.SystemRandom().randrange(1 << 32))
    random.seed(int(seed))
    folder = tempfile.mkdtemp(prefix="recount-conformance-")
    world = World(folder)
    passed, failed, finished = 0, 0, False
    try:
        world.start()
        print(f"conformance: seed {seed}", flush=True)
        for name, function in scenarios(sys.argv[1:]):
            if attempt(world, name, function):
                passed += 1
            else:
                failed += 1
        finished = True
    finally:
        undisturbed()
        world.stop()
        if finished and failed == 0:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            print(f"conformance: logs are in {folder}")
    print(f"{passed} passed, {failed} failed")
    # A run that ran nothing must not pass.
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
