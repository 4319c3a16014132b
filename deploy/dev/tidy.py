#!/usr/bin/env python3
"""Holds the tree to the tidy rules; prints each breach as file:line: rule, and fails.

    deploy/dev/tidy.py

Read are the files that git knows or would add. Generated files (Sources/CProtos, a folder
Generated) and golden data are not read.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
COLUMNS_MAX = 100
FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70
TOP_FOLDERS = {"Sources", "Protos", "Tests", "deploy", "cli", "docs", ".ci"}
TEXT = {".swift", ".py", ".sh", ".sql", ".h", ".c", ".md", ".proto", ".json"}
CODE = {".swift", ".py", ".sh", ".sql", ".h", ".c", ".proto"}
MARK_WORDS = ["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"]
MARKS = re.compile(r"\b(?:" + "|".join(MARK_WORDS) + r")\b")
FUNCTION = re.compile(r"^(\s*)(?:[@\w()]+\s+)*(?:func\s|init[?(<]|deinit\b)")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
IMPORT = re.compile(
    r"^(?:@\w+(?:\(\w+\))? )*(?:(?:public|internal|package|private|fileprivate) )?import (\w+)")

# A path of one machine; the dots before it may be a URL's or a variable's.
MACHINE_PATH = re.compile(r"(?<![\w./:$}~*-])/(?:work|home|root)/")

# DESIGN's layers: a module imports only modules of a lower number.
LAYERS = {
    0: "CLinux CNghttp2 CCurl CPostgres COpenSSL CProtos CVocabularies",
    1: "Reactor HTTP2 GRPCWire Messages JSON Tokenizer Domain",
    2: "Transport Postgres HTTPClient Metering",
    3: "GRPCServer GRPCClient Context",
    4: "Store Relay",
    5: "Service",
    6: "Server RelaySimulator cli",
}
LAYER = {name: layer for layer, names in LAYERS.items() for name in names.split()}

# The only files that may import a C module; beside them, generated ones.
DOORS = {
    "CLinux": "Reactor/Poller Reactor/LoopThread Transport/Socket",
    "CNghttp2": "HTTP2/NativeSession",
    "CCurl": "HTTPClient/CurlHandles HTTPClient/Callbacks HTTPClient/FailureClass",
    "CPostgres": "Postgres/PGHandle",
    "COpenSSL": "RelaySimulator/SHA256 Domain/OpenSSL",
    "CProtos": "Messages/Arena Messages/Decoder Messages/Encoder Messages/MergeCheck"
    " Messages/DescriptorSet",
    "CVocabularies": "Tokenizer/CharacterClass Tokenizer/Vocabulary",
}


def files():
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
    paths = sorted({name.decode() for name in names.split(b"\0") if name})
    return [path for path in paths if (ROOT / path).is_file()]


def is_generated(path):
    return path.startswith("Sources/CProtos/") or "/Generated/" in path or "/golden" in path


def module_of(path):
    parts = path.split("/")
    if parts[0] == "Sources" and len(parts) > 2:
        return parts[1]
    return "cli" if parts[0] == "cli" else None


def lines_of(path, text):
    lines = text.split("\n")
    suffix = pathlib.Path(path).suffix
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS_MAX and suffix in CODE:
            yield number, f"{len(line)} columns, at most {COLUMNS_MAX}"
        if MARKS.search(line) and suffix in CODE:
            yield number, "a mark of unfinished work"
        if MACHINE_PATH.search(line):
            yield number, "a path of a developer's machine"
    if suffix in CODE and len(lines) > FILE_LINES_MAX:
        if "longer than" not in "\n".join(lines[:12]).lower():
            yield 1, f"{len(lines)} lines; over {FILE_LINES_MAX} say at the top `Longer than`, why"


def functions_of(text):
    opened = None
    for number, line in enumerate(text.split("\n"), 1):
        if opened and line.startswith(opened[1] + "}"):
            if number - opened[0] + 1 > FUNCTION_LINES_MAX:
                yield opened[0], f"a function of {number - opened[0] + 1} lines"
            opened = None
        match = FUNCTION.match(line)
        if match and not opened and "}" not in line:
            opened = (number, match.group(1))


def imports_of(module, text):
    for number, line in enumerate(text.split("\n"), 1):
        match = IMPORT.match(line)
        if not match or match.group(1) == module or match.group(1) not in LAYER:
            continue
        if LAYER[match.group(1)] >= LAYER[module]:
            yield number, f"{module} imports {match.group(1)}, which is not below it"


def doors_of(path, text):
    name = path.removeprefix("Sources/").removesuffix(".swift")
    for number, line in enumerate(text.split("\n"), 1):
        match = IMPORT.match(line)
        if match and match.group(1) in DOORS and name not in DOORS[match.group(1)].split():
            yield number, f"{match.group(1)} is imported outside its door files (see DOORS)"


def links_of(path, text):
    for number, line in enumerate(text.split("\n"), 1):
        for target in LINK.findall(line):
            if "://" not in target and not target.startswith("mailto:"):
                if not (ROOT / path).parent.joinpath(target).exists():
                    yield number, f"a link to {target}, which is not there"


def tree_breaches(paths):
    for folder in sorted({path.split("/")[0] for path in paths if "/" in path} - TOP_FOLDERS):
        yield folder, 0, "a top-level folder beside the agreed ones"
    modules = {module_of(path) for path in paths} - {None}
    map_path = "docs/internals/ARCHITECTURE.md"
    map_text = (ROOT / map_path).read_text() if (ROOT / map_path).exists() else ""
    for module in sorted(modules):
        if re.search("Utils|Common|Helpers", module):
            yield module, 0, "a module without one meaning"
        if module not in LAYER:
            yield module, 0, "a module without a layer"
        if module not in map_text:
            yield map_path, 0, f"no sentence on {module}"


def breaches():
    paths = files()
    yield from tree_breaches(paths)
    for path in paths:
        if pathlib.Path(path).suffix not in TEXT or is_generated(path):
            continue
        text = (ROOT / path).read_text(encoding="utf-8")
        found = list(lines_of(path, text))
        if path.endswith(".swift"):
            found += functions_of(text)
            if module_of(path) in LAYER:
                found += imports_of(module_of(path), text)
                found += doors_of(path, text)
        if path.endswith(".py"):
            compile(text, path, "exec")
        if path.endswith(".md"):
            found += links_of(path, text)
        for number, rule in found:
            yield path, number, rule


def main():
    count = 0
    for path, number, rule in breaches():
        print(f"{path}:{number}: {rule}", file=sys.stderr)
        count += 1
    if count:
        sys.exit(f"tidy: {count} breaches")


main()
