"""The reference engines, with the vocabularies that the repository carries."""

import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[3]
DATA = ROOT / "Sources" / "CVocabularies" / "data"

# Marks a single byte, see deploy/dev/vocabulary.py.
_SINGLE = 0xFFFFFF

PATTERNS = {
    "cl100k_base": r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+"
    r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
    "o200k_base": r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
}
DEEPSEEK_SPLITS = [
    r"\p{N}{1,3}",
    "[一-龥぀-ゟ゠-ヿ]+",
    r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+"""
    r"""|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+""",
]


def tokens_of(name):
    """(first id, tokens in the order of ids, the pair of indices that each is merged from)."""
    data = (DATA / f"{name}.bin").read_bytes()
    count, first = (int.from_bytes(data[at : at + 4], "little") for at in (4, 8))
    tokens, pairs = [], []
    for index in range(count):
        at = 12 + 6 * index
        left = int.from_bytes(data[at : at + 3], "little")
        right = int.from_bytes(data[at + 3 : at + 6], "little")
        single = left == _SINGLE
        tokens.append(bytes([right]) if single else tokens[left] + tokens[right])
        pairs.append(None if single else (left, right))
    return first, tokens, pairs


def tiktoken_encoding(name):
    import tiktoken

    _, tokens, _ = tokens_of(name)
    return tiktoken.Encoding(
        name=name,
        pat_str=PATTERNS[name],
        mergeable_ranks={token: rank for rank, token in enumerate(tokens)},
        special_tokens={},
    )


def _byte_letters():
    """The letters by which a byte-level vocabulary writes its bytes."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    letters = {byte: chr(byte) for byte in plain}
    for byte in range(256):
        letters.setdefault(byte, chr(256 + len(letters) - len(plain)))
    return letters


def deepseek_tokenizer():
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers

    first, tokens, pairs = tokens_of("deepseek_v3")
    letters = _byte_letters()
    names = ["".join(letters[byte] for byte in token) for token in tokens]
    merges = [(names[pair[0]], names[pair[1]]) for pair in pairs if pair]
    vocabulary = {name: first + index for index, name in enumerate(names)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    splits = [pre_tokenizers.Split(Regex(split), "isolated") for split in DEEPSEEK_SPLITS]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [*splits, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    return tokenizer


def encoders():
    """For each encoding a function from texts to lists of ids."""
    result = {}
    for name in PATTERNS:
        engine = tiktoken_encoding(name)
        result[name] = lambda texts, engine=engine: [engine.encode_ordinary(t) for t in texts]
    deepseek = deepseek_tokenizer()
    result["deepseek_v3"] = lambda texts: [
        found.ids for found in deepseek.encode_batch(texts, add_special_tokens=False)
    ]
    return result
