#!/usr/bin/python3
"""Writes what is generated from Protos/.

    deploy/dev/generate-protos.py            writes Sources/CProtos, Sources/Messages/Generated,
                                             Tests/MessagesTests/Generated and
                                             docs/reference/api.md
    deploy/dev/generate-protos.py --check    fails when a committed result is not current

Needs Debian's protobuf-compiler, protobuf-c-compiler, python3-protobuf, and `swift format`.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.dont_write_bytecode = True

from protogen import c_code, descriptors, fixtures, reference, swift_code  # noqa: E402

# Kept by hand among the generated files.
HAND_WRITTEN = {
    "Sources/CProtos/descriptors.c",
    "Sources/CProtos/include/module.modulemap",
}
SWIFT = "Sources/Messages/Generated"
FIXTURES = "Tests/MessagesTests/Generated"
FOLDERS = ["Sources/CProtos", SWIFT, FIXTURES]


def generate():
    """Returns every generated file, by its path from the repository's root."""
    files = descriptors.compile_protos(ROOT / "Protos")
    output = {f"Sources/CProtos/{path}": data for path, data in c_code.c_files(files).items()}
    swift = {f"{SWIFT}/{path}": data for path, data in swift_code.swift_files(files).items()}
    swift[f"{FIXTURES}/WireFixtures.swift"] = fixtures.swift_file(files)
    output["docs/reference/api.md"] = reference.reference(files)
    return output | formatted(swift)


def formatted(swift):
    """The same Swift files, as `swift format` lays them out."""
    output = {}
    with tempfile.TemporaryDirectory() as folder:
        for path, data in swift.items():
            place = Path(folder) / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        command = ["swift", "format", "--in-place", "--recursive", folder]
        command += ["--configuration", str(ROOT / ".swift-format")]
        subprocess.run(command, check=True)
        for path in swift:
            output[path] = (Path(folder) / path).read_bytes()
    return output


def committed():
    """The paths that are there now, without those written by hand."""
    found = set()
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            name = str(path.relative_to(ROOT))
            if path.is_file() and name not in HAND_WRITTEN:
                found.add(name)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check = parser.parse_args().check
    output = generate()
    stale = sorted(
        name for name, data in output.items()
        if not (ROOT / name).is_file() or (ROOT / name).read_bytes() != data)
    surplus = sorted(committed() - set(output))
    if check:
        for name in stale:
            print(f"{name}: not current", file=sys.stderr)
        for name in surplus:
            print(f"{name}: generated from nothing", file=sys.stderr)
        if stale or surplus:
            print("run deploy/dev/generate-protos.py", file=sys.stderr)
            return 1
        print(f"{len(output)} generated files are current")
        return 0
    for name in stale:
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(output[name])
    for name in surplus:
        (ROOT / name).unlink()
    print(f"{len(stale)} of {len(output)} files written, {len(surplus)} removed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
