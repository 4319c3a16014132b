#!/usr/bin/python3
"""Stops the local stack and removes all of .run but the logs. Harmless where there is none.

    deploy/dev/down.py
"""

import sys

import run_folder
from processes import StackError


def main():
    if not run_folder.RUN.exists():
        print("no stack")
        return
    try:
        with run_folder.locked():
            found = run_folder.load()
            run_folder.undisturbed()
            run_folder.clear(found)
    except StackError as error:
        sys.exit(f"down: {error}")
    print("no stack" if found is None else "the stack is down; its logs are in .run/logs")


main()
