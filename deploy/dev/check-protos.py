#!/usr/bin/python3
"""Checks the published files: names as buf's STANDARD wants them, a comment on everything.

    deploy/dev/check-protos.py               checks Protos/
    deploy/dev/check-protos.py --self-test   shows that each rule finds what it is for

The rules are in protogen/lint.py. Needs Debian's protobuf-compiler and python3-protobuf.
"""

import argparse
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.dont_write_bytecode = True

from protogen import descriptors, lint, lint_test  # noqa: E402

PROTOS = Path(__file__).resolve().parents[2] / "Protos"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--self-test", action="store_true", help="test the rules themselves")
    if parser.parse_args().self_test:
        suite = unittest.defaultTestLoader.loadTestsFromModule(lint_test)
        return 0 if unittest.TextTestRunner().run(suite).wasSuccessful() else 1
    files = descriptors.compile_protos(PROTOS)
    found = lint.findings(files)
    for line in found:
        print(line, file=sys.stderr)
    if found:
        return 1
    print(f"{len(files.file)} files are well named and commented")
    return 0


if __name__ == "__main__":
    sys.exit(main())
