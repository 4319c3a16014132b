#!/usr/bin/python3
"""Writes Python stubs of the published files, for a stock grpcio client.

    deploy/dev/python-stubs.py FOLDER

Then, with FOLDER on PYTHONPATH:

    from recount.v1 import conversation_service_pb2_grpc, generation_pb2
    from google.rpc import error_details_pb2, status_pb2

The well-known types come from Debian's python3-protobuf. Needs protobuf-compiler and
protobuf-compiler-grpc; running the stubs needs python3-grpcio.
"""

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

PROTOS = Path(__file__).resolve().parents[2] / "Protos"
PLUGIN = "grpc_python_plugin"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path, help="where to write; made if it is not there")
    folder = parser.parse_args().folder
    plugin = shutil.which(PLUGIN)
    if plugin is None or shutil.which("protoc") is None:
        print("install protobuf-compiler and protobuf-compiler-grpc", file=sys.stderr)
        return 1
    files = sorted(
        str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto")
        if path.parent != PROTOS / "google/protobuf")
    services = [
        name for name in files
        if re.search(r"^service ", (PROTOS / name).read_text(), re.MULTILINE)]
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["protoc", f"--proto_path={PROTOS}", f"--python_out={folder}", *files],
                   check=True)
    subprocess.run(["protoc", f"--proto_path={PROTOS}", f"--grpc_python_out={folder}",
                    f"--plugin=protoc-gen-grpc_python={plugin}", *services], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
