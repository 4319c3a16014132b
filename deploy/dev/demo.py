#!/usr/bin/python3
"""The demonstration: a stack of its own in a temporary folder, three turns, the sums, the end.

    deploy/dev/demo.py

Fails if anything does not add up; leaves nothing running, however it ends. RELAY_URL,
RELAY_KEY_FILE and RELAY_MODEL in the environment name a real relay instead of the simulator.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import run_folder
from processes import StackError
from stack import ROOT, Stack, relay_from_environment, run


def demonstrate(stack):
    stubs = stack.folder / "stubs"
    run([ROOT / "deploy/dev/python-stubs.py", stubs])
    sys.path.insert(0, str(stubs))
    relay, log = relay_from_environment(), None
    print("starting a stack of its own", flush=True)
    stack.start_database()
    key_file = stack.folder / "api-key"
    stack.database.seed(key_file)
    if relay is None:
        log = stack.folder / "relay-sim.jsonl"
        relay = stack.start_simulator(log)
    address = stack.start_server(relay)
    # Only now are the stubs there that it imports.
    import demo_client
    import grpc
    try:
        demo_client.demonstrate(address, key_file, relay.model, log)
    except demo_client.DemoError as error:
        raise StackError(str(error)) from error
    except grpc.RpcError as error:
        raise StackError(f"{error.code().name}: {error.details()}") from error


def main():
    run_folder.leave_on_signals()
    folder = Path(tempfile.mkdtemp(prefix="recount-demo-"))
    stack = Stack(folder, folder)
    try:
        demonstrate(stack)
    except StackError as error:
        sys.exit(f"demo: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        run_folder.undisturbed()
        stack.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print("demo: all adds up, and nothing is left running")


main()
