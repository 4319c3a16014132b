"""The programs under test: ids of texts, and what must hold without a reference."""

import json
import struct
import subprocess
import sys


def _run(arguments, sent):
    done = subprocess.run(arguments, input=sent, stdout=subprocess.PIPE)
    if done.returncode != 0:
        said = done.stdout[-2000:].decode("utf-8", "replace")
        sys.exit(f"{' '.join(arguments)}: status {done.returncode}: {said}")
    return done.stdout


class Driver:
    """`tokenizer-driver`, a release build of the module alone, by frames of bytes."""

    def __init__(self, program):
        self.program = program

    def _call(self, command, name, texts):
        encoded = [text.encode("utf-8") for text in texts]
        sent = b"".join(struct.pack("<I", len(item)) + item for item in encoded)
        return _run([self.program, command, name], sent)

    def ids(self, name, texts):
        out = self._call("ids", name, texts)
        result, at = [], 0
        for _ in texts:
            (count,) = struct.unpack_from("<I", out, at)
            result.append(list(struct.unpack_from(f"<{count}I", out, at + 4)))
            at += 4 + 4 * count
        return result

    def check(self, name, texts):
        """Counts, limits, round trips, and growth cut at every byte."""
        self._call("check", name, texts)


class Recount:
    """The built `recount tokens`, by lines of JSON."""

    def __init__(self, program):
        self.program = program

    def _call(self, command, name, rows):
        sent = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        arguments = [self.program, "tokens", command, "--encoding", name, "--jsonl"]
        out = _run(arguments, sent.encode("utf-8"))
        found = [json.loads(line) for line in out.splitlines()]
        if len(found) != len(rows):
            sys.exit(f"{command}: {len(rows)} lines sent, {len(found)} answered")
        return found

    def ids(self, name, texts):
        return [row["ids"] for row in self._call("encode", name, [{"text": t} for t in texts])]

    def check(self, name, texts):
        """Counts are the numbers of ids, and decoding gives the text back."""
        ids = self.ids(name, texts)
        counts = self._call("count", name, [{"text": text} for text in texts])
        decoded = self._call("decode", name, [{"ids": row} for row in ids])
        for text, row, count, back in zip(texts, ids, counts, decoded):
            if count["count"] != len(row) or back["text"] != text:
                sys.exit(f"{name}: {text!r}: {len(row)} ids, {count}, decoded {back}")
