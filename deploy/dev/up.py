#!/usr/bin/python3
"""Starts the local stack in .run and writes .run/env; `make up` builds first.

    deploy/dev/up.py

RELAY_URL, RELAY_KEY_FILE and RELAY_MODEL in the environment name a real relay instead of the
simulator. A failure leaves nothing running.
"""

import shutil
import sys

import run_folder
from processes import StackError
from stack import Stack, relay_from_environment

SIMULATOR_LOG = run_folder.LOGS / "relay-sim.jsonl"


def start(stack):
    """Starts all; the lines of .run/env."""
    relay = relay_from_environment()
    simulated = relay is None
    stack.start_database()
    key_file = run_folder.RUN / "api-key"
    stack.database.seed(key_file)
    if simulated:
        SIMULATOR_LOG.touch()
        relay = stack.start_simulator(SIMULATOR_LOG)
    address = stack.start_server(relay)
    lines = [
        f"RECOUNT_ADDRESS={address}",
        f"RECOUNT_API_KEY_FILE={key_file}",
        f"RECOUNT_DATABASE_URL={stack.database.url('recount_admin')}",
        f"RECOUNT_PID={stack.children['recountd'].pid}",
    ]
    if simulated:
        lines.append(f"RELAY_SIM_URL={relay.url.removesuffix('/v1')}")
        lines.append(f"RELAY_SIM_LOG={SIMULATOR_LOG}")
    return lines


def up():
    found = run_folder.load()
    if found is not None and any(child.is_alive() for child in found.children.values()):
        raise StackError("a stack runs already, see .run/env; `make down` ends it")
    run_folder.clear(found)
    shutil.rmtree(run_folder.LOGS, ignore_errors=True)
    run_folder.LOGS.mkdir(mode=0o700)
    stack = Stack(run_folder.RUN, run_folder.LOGS, run_folder.save)
    try:
        lines = start(stack)
        (run_folder.RUN / "env").write_text("\n".join(lines) + "\n")
    except BaseException:
        run_folder.undisturbed()
        run_folder.clear(stack)
        raise
    print("\n".join(lines))
    print("the stack is up; `set -a; . .run/env` for a shell, `make down` to end it")


def main():
    run_folder.leave_on_signals()
    try:
        with run_folder.locked():
            up()
    except StackError as error:
        sys.exit(f"up: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


main()
