#!/usr/bin/env python3
"""Rebuilds the compact vocabularies and Unicode classes that CVocabularies embeds.

    deploy/dev/vocabulary.py build  FOLDER   writes Sources/CVocabularies/data from the originals
    deploy/dev/vocabulary.py verify FOLDER   expands that data again and compares it with them

FOLDER holds the originals: cl100k_base.tiktoken, o200k_base.tiktoken and deepseek_v3.tiktoken
(lines of base64 bytes, a space, the id, ascending) and unicode_classes.tsv (class, first, last).
`verify` is exact: the expanded vocabulary must equal the original file byte for byte, and the
class table must agree with the ranges at each of the 1,114,112 code points.

Vocabulary file, little-endian: "RCV1", u32 number of tokens, u32 id of the first token, then
6 bytes a token in the order of ids: u24 index of the left part, u24 index of the right part
(an index is the id minus the first id). A single byte has left = 0xFFFFFF and right = the byte.
The parts are those of the last merge that forms the token, so they always come before it.

Class file: 8,704 bytes, the block of each 128 code points, then 128 bytes a block of flags.
"""

import base64
import hashlib
import pathlib
import struct
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT / "Sources" / "CVocabularies" / "data"

# The published sums; deepseek_v3 is derived, so its sum is ours.
ORIGINALS = {
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    "deepseek_v3": "ea361439831165203088c236a65f20163f58a68d735b51593dfe1068a23920b2",
}
CLASSES_SUM = "5b112d15b5de27016b5a185d0fd03a77d5a0b1184e3ca54865dcb714e419745a"

MAGIC = b"RCV1"
SINGLE_BYTE = 0xFFFFFF
CODE_POINTS = 0x110000
BLOCK = 128

# Flags of a code point; Sources/Tokenizer/CharacterClass.swift names the same bits.
UPPER_SIDE, LOWER_SIDE, LETTER, NUMBER, SPACE, SYMBOL, LINE_BREAK, CJK_RUN = (
    1 << bit for bit in range(8)
)
CLASS_FLAGS = {
    "Lu": UPPER_SIDE | LETTER,
    "Lt": UPPER_SIDE | LETTER,
    "Ll": LOWER_SIDE | LETTER,
    "Lm": UPPER_SIDE | LOWER_SIDE | LETTER,
    "Lo": UPPER_SIDE | LOWER_SIDE | LETTER,
    "M": UPPER_SIDE | LOWER_SIDE,
    "N": NUMBER,
    "WS": SPACE,
    "P": SYMBOL,
    "S": SYMBOL,
}
# The second split of DeepSeek V3: ideographs, Hiragana, Katakana.
CJK_RANGES = [(0x4E00, 0x9FA5), (0x3040, 0x309F), (0x30A0, 0x30FF)]


def read_original(path, expected_sum):
    """Returns (first id, tokens in the order of ids) of a .tiktoken file."""
    raw = path.read_bytes()
    found = hashlib.sha256(raw).hexdigest()
    if found != expected_sum:
        sys.exit(f"{path.name}: sha256 is {found}, expected {expected_sum}")
    tokens, first = [], None
    for line in raw.splitlines():
        encoded, number = line.split()
        first = int(number) if first is None else first
        if int(number) != first + len(tokens):
            sys.exit(f"{path.name}: ids have a gap before {int(number)}")
        tokens.append(base64.b64decode(encoded))
    return first, tokens


def parts_of(token, rank_of):
    """The two parts of the merge that forms `token`, by merging its bytes in rank order."""
    parts = [token[i : i + 1] for i in range(len(token))]
    while len(parts) > 2:
        best, at = None, -1
        for i in range(len(parts) - 1):
            rank = rank_of.get(parts[i] + parts[i + 1])
            if rank is not None and (best is None or rank < best):
                best, at = rank, i
        if best is None:
            sys.exit(f"token {token!r} cannot be reached by merges")
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return parts


def compact(first, tokens):
    rank_of = {token: rank for rank, token in enumerate(tokens)}
    out = bytearray(MAGIC + struct.pack("<II", len(tokens), first))
    for rank, token in enumerate(tokens):
        if len(token) == 1:
            left, right = SINGLE_BYTE, token[0]
        else:
            left, right = (rank_of[part] for part in parts_of(token, rank_of))
            if left >= rank or right >= rank:
                sys.exit(f"token {token!r} comes before one of its parts")
        out += left.to_bytes(3, "little") + right.to_bytes(3, "little")
    return bytes(out)


def expand(data):
    """The original file's bytes, from the compact form alone."""
    if data[:4] != MAGIC:
        sys.exit("not a compact vocabulary")
    count, first = struct.unpack_from("<II", data, 4)
    tokens, lines = [], []
    for rank in range(count):
        at = 12 + 6 * rank
        left = int.from_bytes(data[at : at + 3], "little")
        right = int.from_bytes(data[at + 3 : at + 6], "little")
        tokens.append(bytes([right]) if left == SINGLE_BYTE else tokens[left] + tokens[right])
        lines.append(base64.b64encode(tokens[-1]) + b" %d\n" % (first + rank))
    if len(data) != 12 + 6 * count:
        sys.exit("compact vocabulary has a wrong length")
    return b"".join(lines)


def flags_of_code_points(path):
    raw = path.read_bytes()
    found = hashlib.sha256(raw).hexdigest()
    if found != CLASSES_SUM:
        sys.exit(f"{path.name}: sha256 is {found}, expected {CLASSES_SUM}")
    flags = bytearray(CODE_POINTS)
    for line in raw.decode("ascii").splitlines():
        if line.startswith("#") or not line:
            continue
        name, first, last = line.split("\t")
        for point in range(int(first, 16), int(last, 16) + 1):
            if flags[point]:
                sys.exit(f"U+{point:04X} is in two classes")
            flags[point] = CLASS_FLAGS[name]
    for point in (0x0A, 0x0D):
        flags[point] |= LINE_BREAK
    for first, last in CJK_RANGES:
        for point in range(first, last + 1):
            flags[point] |= CJK_RUN
    return bytes(flags)


def two_stage(flags):
    blocks, index = {}, bytearray()
    for start in range(0, CODE_POINTS, BLOCK):
        block = flags[start : start + BLOCK]
        index.append(blocks.setdefault(block, len(blocks)))
    return bytes(index) + b"".join(blocks)


def main(arguments):
    if len(arguments) != 2 or arguments[0] not in ("build", "verify"):
        sys.exit(__doc__)
    folder = pathlib.Path(arguments[1])
    flags = flags_of_code_points(folder / "unicode_classes.tsv")
    class_file = DATA / "unicode_classes.bin"
    for name, expected_sum in ORIGINALS.items():
        original = folder / f"{name}.tiktoken"
        first, tokens = read_original(original, expected_sum)
        path = DATA / f"{name}.bin"
        if arguments[0] == "build":
            path.write_bytes(compact(first, tokens))
        if expand(path.read_bytes()) != original.read_bytes():
            sys.exit(f"{name}: the compact form differs from the original")
        print(f"{name}: {len(tokens)} tokens, {path.stat().st_size} bytes, equal to the original")
    if arguments[0] == "build":
        class_file.write_bytes(two_stage(flags))
    table = class_file.read_bytes()
    stages = CODE_POINTS // BLOCK
    for point in range(CODE_POINTS):
        if table[stages + table[point // BLOCK] * BLOCK + point % BLOCK] != flags[point]:
            sys.exit(f"classes differ at U+{point:04X}")
    print(f"unicode_classes: {len(table)} bytes, equal at every code point")


if __name__ == "__main__":
    main(sys.argv[1:])
