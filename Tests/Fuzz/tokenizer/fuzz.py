#!/usr/bin/env python3
"""Compares the tokenizer with tiktoken and tokenizers on random texts.

    fuzz.py (--driver PROGRAM | --recount PROGRAM) [--texts N] [--seed S]

The texts mix scripts, marks, emoji, whitespace, digits, controls, contractions and words. Prints
the seed, which replays the run. A difference is shrunk, printed and ends the run with status 1.
"""

import argparse
import random
import sys

import programs
import reference

BATCH = 20_000

WORDS = """the and you're don't I'LL we've they'd it's o'clock HTTPServer camelCase getURLFor
Hello WORLD straße Ünïcödé naïve ÉCOLE Ǆungla ǅungla ᾳ ſ 'ſ 's 'S 'ſt 't 'T 're 'RE 'Re 'vE 'm 'll
'lL 'd 'D ' '' 'x ’s 中文 日本語 日本ABC 你好世界 こんにちは カタカナ 한국어 조선말 Привет мир ΑΒΓ αβγ
العربية עברית हिन्दी தமிழ் ไทย ქართული հայ אָ é à n̈ 👍 👍🏽 👨‍👩‍👧‍👦 🇩🇪 ❤️ ☃ © ™ € ½ ² ٣ ௧ Ⅷ 〇 三
0 1 12 123 1234 12345 3.14 1,000 \
a1b2 // /// /* */ != == => :: ... --- ___ {} [] () "" `` <|endoftext|>
<｜end▁of▁sentence｜> def return self. func let var;\n}\n\n \t\t\n # $ % ^ & * \\n \\ | ~ \
@user #tag""".split(" ")

SPACES = [" ", " ", " ", "  ", "   ", "\n", "\r\n", "\n\n", "\r", "\t", "\u00a0", "\u3000",
          "\u2028", "\u0085", "\u200b", "\ufeff", "\u180e", "\x1c", "\x1f", "\x0b", "\x0c",
          "\u1680", "\u205f"]

RANGES = [(0x20, 0x7E), (0x20, 0x7E), (0, 0x1F), (0x7F, 0x24F), (0x250, 0x36F), (0x300, 0x36F),
          (0x370, 0x5FF), (0x600, 0x8FF), (0x900, 0xDFF), (0xE00, 0x10FF), (0x10A0, 0x13FF),
          (0x1E00, 0x20CF), (0x20D0, 0x2BFF), (0x2C00, 0x2FFF), (0x3000, 0x30FF), (0x3040, 0x30FF),
          (0x3100, 0x4DFF), (0x4E00, 0x9FFF), (0x9FA0, 0xA0FF), (0xA490, 0xABFF), (0xAC00, 0xD7A3),
          (0xE000, 0xF8FF), (0xF900, 0xFFFD), (0x10000, 0x11FFF), (0x16A00, 0x1E0FF),
          (0x1E000, 0x1EFFF), (0x1F000, 0x1FAFF), (0x20000, 0x2FFFF), (0xE0000, 0xE01EF)]


def atom(rng):
    kind = rng.random()
    if kind < 0.30:
        return rng.choice(WORDS)
    if kind < 0.55:
        return rng.choice(SPACES)
    if kind < 0.62:
        return rng.choice(WORDS).swapcase()
    if kind < 0.66:
        return rng.choice("aAéÉ日\u0301\u200d1 \n/'!中あ") * rng.randint(2, 40)
    if kind < 0.70:
        letters = "abcdefghijklmnopqrstuvwxyzABCXYZ"
        return "".join(rng.choice(letters) for _ in range(rng.randint(1, 30)))
    if kind < 0.74:
        return "".join(chr(rng.randint(0x4E00, 0x9FA5)) for _ in range(rng.randint(1, 25)))
    if kind < 0.78:
        return rng.choice(["'", "\u200d", "\ufe0f", "\u0301", "\u0300", "\u20e3", "\U0001f3fd"])
    if kind < 0.81:
        # Ends of punctuation, where o200k_base alone takes slashes after line breaks.
        return "".join(rng.choice("!/;)*\n\r \ufe0f") for _ in range(rng.randint(2, 7)))
    if kind < 0.83:
        # Capitals beside the letters that o200k_base counts as both upper and lower.
        return "".join(rng.choice("AbǅʰᵃªּÉ日") for _ in range(rng.randint(2, 7)))
    first, last = rng.choice(RANGES)
    return "".join(chr(rng.randint(first, last)) for _ in range(rng.randint(1, 4)))


def text(rng):
    return "".join(atom(rng) for _ in range(rng.randint(1, rng.choice((3, 8, 20)))))


def shrink(differs, found):
    """The smallest text, by dropping parts, on which the engines still differ."""
    size = len(found) // 2
    while size:
        at = 0
        while at < len(found):
            shorter = found[:at] + found[at + size :]
            if shorter and differs(shorter):
                found = shorter
            else:
                at += size
        size //= 2
    return found


def main():
    parser = argparse.ArgumentParser()
    program = parser.add_mutually_exclusive_group(required=True)
    program.add_argument("--driver", type=programs.Driver, dest="ours")
    program.add_argument("--recount", type=programs.Recount, dest="ours")
    parser.add_argument("--texts", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.texts} texts", flush=True)
    rng = random.Random(options.seed)
    engines = reference.encoders()
    done = characters = 0
    while done < options.texts:
        texts = [text(rng) for _ in range(min(BATCH, options.texts - done))]
        # A lone surrogate cannot be written as UTF-8, and no engine takes one.
        texts = [item for item in texts if not any(0xD800 <= ord(c) < 0xE000 for c in item)]
        for name, engine in engines.items():
            pairs = zip(texts, engine(texts), options.ours.ids(name, texts))
            for item, expected, found in pairs:
                if expected == found:
                    continue
                small = shrink(
                    lambda t: engine([t])[0] != options.ours.ids(name, [t])[0], item)
                print(f"{name}: {small!r}\n reference {engine([small])[0]}"
                      f"\n ours      {options.ours.ids(name, [small])[0]}")
                sys.exit(1)
            options.ours.check(name, texts[:500])
        done += len(texts)
        characters += sum(map(len, texts))
        if done % (10 * BATCH) < BATCH:
            print(f"{done} texts", file=sys.stderr, flush=True)
    print(f"{done} texts, {characters} characters, {len(engines)} encodings: 0 differences")


if __name__ == "__main__":
    main()
