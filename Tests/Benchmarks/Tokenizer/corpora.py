"""Benchmark texts from what a Debian machine has: Python's library and message catalogues."""

import ast
import glob
import json
import pathlib
import pydoc_data.topics
import struct
import sysconfig

BYTES = 4_000_000


def _library():
    folder = pathlib.Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(folder.rglob("*.py")):
        if "site-packages" not in path.parts:
            yield path.read_text("utf-8", "ignore")


def _catalogue(path):
    data = pathlib.Path(path).read_bytes()
    if data[:4] != b"\xde\x12\x04\x95":
        return
    count, _, table = struct.unpack_from("<III", data, 8)
    for entry in range(count):
        length, at = struct.unpack_from("<II", data, table + 8 * entry)
        yield data[at : at + length].decode("utf-8", "ignore").replace("\0", "\n")


def _catalogues(languages):
    paths = [glob.glob(f"/usr/share/locale/{language}/LC_MESSAGES/*.mo") for language in languages]
    longest = max(map(len, paths), default=0)
    for turn in range(longest):
        for found in paths:
            if turn < len(found):
                yield from _catalogue(sorted(found)[turn])


def _english():
    yield from pydoc_data.topics.topics.values()
    for text in _library():
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
                documentation = ast.get_docstring(node)
                if documentation:
                    yield documentation + "\n"


def _json():
    names = sorted({word for text in pydoc_data.topics.topics.values() for word in text.split()})
    for turn, text in enumerate(_library()):
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        for number, line in enumerate(lines[::7]):
            record = {"id": turn * 1000 + number, "name": names[(turn * 37 + number) % len(names)],
                      "text": line, "score": round(number * 0.37, 2), "tags": line.split()[:3],
                      "active": number % 3 == 0, "parent": None}
            yield json.dumps(record, indent=2 if turn % 2 else None) + "\n"


SOURCES = {
    "English": (_english, "Python's language reference and docstrings"),
    "code": (_library, "Python's standard library"),
    "JSON": (_json, "records made of lines of the standard library"),
    "Chinese": (lambda: _catalogues(["zh_CN"]), "Debian's zh_CN message catalogues"),
    "mixed": (lambda: _catalogues(["zh_CN", "ru", "ja", "fr", "ko", "ar", "de", "hi"]),
              "Debian's catalogues of eight languages"),
}


def make(folder):
    """Writes each text that the machine has enough of; returns {name: (path, description)}."""
    made = {}
    for name, (source, description) in SOURCES.items():
        parts, size = [], 0
        for part in source():
            parts.append(part)
            size += len(part.encode("utf-8"))
            if size >= BYTES:
                break
        if size < 500_000:
            print(f"{name}: this machine has too little such text; left out")
            continue
        path = pathlib.Path(folder) / f"{name}.txt"
        path.write_bytes("\n".join(parts).encode("utf-8"))
        made[name] = (path, description)
    return made


def hostile():
    """A megabyte of each of the worst inputs."""
    import base64
    import random

    rng = random.Random(1)
    million = 1_000_000
    letters = "abcdefghijklmnopqrstuvwxyz"
    return {
        "one letter": "a" * million,
        "spaces": " " * million,
        "newlines": "\n" * million,
        "one ideograph": "中" * (million // 3),
        "joined emoji": "👨\u200d" * (million // 7),
        "marks": "\u0301" * (million // 2),
        "base64": base64.b64encode(rng.randbytes(million * 3 // 4)).decode(),
        "random letters": "".join(rng.choice(letters) for _ in range(million)),
        "alternating case": "aA" * (million // 2),
        "NULs": "\0" * million,
        "random whitespace": "".join(rng.choice("  \t\n") for _ in range(million)),
        "random ideographs": "".join(chr(rng.randint(0x4E00, 0x9FA5)) for _ in range(million // 3)),
        "spaces then tabs": ("   \t" * (million // 4)),
    }
