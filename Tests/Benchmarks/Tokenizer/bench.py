#!/usr/bin/env python3
"""One thread, one run: this tokenizer beside tiktoken, quicktok, gigatoken and fastokens.

    bench.py --driver PROGRAM --folder FOLDER [--encoding cl100k_base] [--rounds 3]

Prints MB per second of processor time (best of the rounds) as a table, then the targets as ratios
of the same run.
"""

import argparse
import base64
import json
import os
import pathlib
import subprocess
import sys
import time

os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Fuzz" / "tokenizer"))

import corpora
import reference


def times(work, rounds):
    found = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return found


def rank_file(name, folder):
    """The vocabulary as a .tiktoken file, for the peers that load one."""
    _, tokens, _ = reference.tokens_of(name)
    path = pathlib.Path(folder) / f"{name}.tiktoken"
    lines = (base64.b64encode(token) + b" %d\n" % rank for rank, token in enumerate(tokens))
    path.write_bytes(b"".join(lines))
    return str(path)


def peers(name, ranks):
    """Makers of (encode, count or None) for each peer that is installed."""

    def tiktoken_peer():
        engine = reference.tiktoken_encoding(name)
        return engine.encode_ordinary, None

    def quicktok_peer():
        import quicktok

        engine = quicktok.get_encoding(name)
        return engine.encode_ordinary, engine.count

    def gigatoken_peer():
        import gigatoken

        engine = gigatoken.Tokenizer.from_tiktoken(ranks)
        return engine.encode, None

    def fastokens_peer():
        import fastokens

        engine = fastokens.Tokenizer.from_tiktoken(ranks, pattern=reference.PATTERNS[name])
        return lambda text: engine.encode_ordinary(text).ids, None

    return {"tiktoken": tiktoken_peer, "quicktok": quicktok_peer, "gigatoken": gigatoken_peer,
            "fastokens": fastokens_peer}


def measure_peers(makers, text, rounds, rates):
    size = len(text.encode("utf-8")) / 1e6
    half = text[len(text) // 2 :]
    first_half = text[: len(text) // 2]
    for name, make in makers.items():
        try:
            encode, count = make()
        except Exception as error:  # a peer that cannot be loaded is named, not hidden
            print(f"{name}: {error}", file=sys.stderr)
            continue
        found = times(lambda: encode(text), rounds + 1)
        rates[f"{name} first"] = size / found[0]
        rates[f"{name} repeat"] = size / min(found[1:])
        if count:
            rates[f"{name} count"] = size / min(times(lambda: count(text), rounds))
        encode, _ = make()
        encode(first_half)
        half_size = len(half.encode("utf-8")) / 1e6
        rates[f"{name} unseen"] = half_size / times(lambda: encode(half), 1)[0]


def ours(driver, name, mode, rounds, path):
    out = subprocess.run([driver, "bench", name, mode, str(rounds), str(path)],
                         stdout=subprocess.PIPE, check=True).stdout
    return json.loads(out)


def measure_ours(driver, name, path, rounds, rates):
    size = path.stat().st_size / 1e6
    for mode in ("count", "encode", "messages", "calls"):
        # A new process for each round, so that each first time is cold.
        runs = [ours(driver, name, mode, 3, path)["times"] for _ in range(rounds)]
        rates[f"ours {mode} cold"] = size / min(run[0] for run in runs)
        rates[f"ours {mode} repeat"] = size / min(min(run[1:]) for run in runs)
    runs = [ours(driver, name, "unseen", 1, path)["times"][0] for _ in range(rounds)]
    rates["ours unseen"] = size / 2 / min(runs)


TARGETS = [
    ("count cold / tiktoken", "ours count cold", "tiktoken first",
     {"English": 10, "code": 10, "JSON": 10, "Chinese": 4, "mixed": 4}),
    ("count cold / quicktok count", "ours count cold", "quicktok count", 1.5),
    # The peer's count runs warm, after its encode of the same text: this is like with like.
    ("count repeat / quicktok count", "ours count repeat", "quicktok count", {}),
    ("count repeat / gigatoken repeat", "ours count repeat", "gigatoken repeat", 1),
    ("count unseen / fastokens unseen", "ours unseen", "fastokens unseen", {"mixed": 1.2}),
]


def print_table(results):
    names = list(results)
    rows = list(dict.fromkeys(row for rates in results.values() for row in rates))
    print("| MB/s | " + " | ".join(names) + " |")
    print("|---" * (len(names) + 1) + "|")
    for row in rows:
        cells = [f"{results[name][row]:.1f}" if row in results[name] else "" for name in names]
        print(f"| {row} | " + " | ".join(cells) + " |")
    print()
    print("| ratio (target) | " + " | ".join(names) + " |")
    print("|---" * (len(names) + 1) + "|")
    for title, mine, theirs, target in TARGETS:
        cells = []
        for name in names:
            goal = target.get(name) if isinstance(target, dict) else target
            rates = results[name]
            if theirs not in rates:
                cells.append("")
                continue
            ratio = rates[mine] / rates[theirs]
            verdict = "" if goal is None else f" ({goal}, {'met' if ratio >= goal else 'missed'})"
            cells.append(f"{ratio:.2f}{verdict}")
        print(f"| {title} | " + " | ".join(cells) + " |")
    print()


def print_hostile(driver, folder, rounds):
    print("| 1 MB of | " + " | ".join(("cl100k_base", "o200k_base", "deepseek_v3")) + " |")
    print("|---|---|---|---|")
    for title, text in corpora.hostile().items():
        path = pathlib.Path(folder) / "hostile.txt"
        path.write_text(text, "utf-8")
        cells = []
        for name in ("cl100k_base", "o200k_base", "deepseek_v3"):
            best = min(ours(driver, name, "count", 1, path)["times"][0] for _ in range(rounds))
            cells.append(f"{best * 1000:.1f} ms")
        print(f"| {title} | " + " | ".join(cells) + " |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--driver", required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--encoding", default="cl100k_base")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    pathlib.Path(options.folder).mkdir(parents=True, exist_ok=True)
    made = corpora.make(options.folder)
    makers = peers(options.encoding, rank_file(options.encoding, options.folder))
    results = {}
    for name, (path, description) in made.items():
        print(f"{name}: {path.stat().st_size} bytes, {description}")
        results[name] = {}
        measure_ours(options.driver, options.encoding, path, options.rounds, results[name])
        measure_peers(makers, path.read_text("utf-8"), options.rounds, results[name])
    print()
    print_table(results)
    print_hostile(options.driver, options.folder, options.rounds)
    print()
    for name in ("cl100k_base", "o200k_base", "deepseek_v3"):
        found = [
            ours(options.driver, name, "count", 1, path)["load"] for _ in range(options.rounds)]
        print(f"{name}: ready in {min(found) * 1000:.1f} ms")


if __name__ == "__main__":
    main()
