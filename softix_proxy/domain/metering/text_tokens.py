"""Counts the tokens of a text without the vocabulary of its model, so that the count is hardly ever too low.

The pieces that several public vocabularies have in common count as one token each. Other text is cut into the longest
such pieces, and what then is left counts by its bytes, and digits one by one. A real vocabulary knows these pieces and
longer ones, so its own count is seldom higher. `scripts/make_common_tokens.py` makes the list of pieces.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from importlib.resources import files
from itertools import groupby

MOST_COUNTED = 32 * 1024
"""The most letters that are counted at once. It takes some milliseconds, and no other request is served meanwhile."""
_MOST_CUT = 8192
"""The most letters that are cut into pieces that are not words. Further ones count by their bytes."""
_PIECES = re.compile(r" ?[^\W\d_]+|\d| ?[^\s\w]+|_+|[^\S\r\n]+|[\r\n]+")
_LONGEST = 16
"""The longest piece that is searched within another text."""
_SPACES = 16
"""The spaces in a row that are surely one token."""
_ESCAPES = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_SHORT = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


def count_tokens(text: str, length: int = 0) -> int:
    """Returns about the most tokens that a model with a large vocabulary makes of the text.

    If only a part of a text is given, `length` is the length of all of it in letters.
    """
    common = _common()
    tokens, left = 0, _MOST_CUT
    for piece, times in Counter(_PIECES.findall(text)).items():
        if piece in common:
            tokens += times
        else:
            cut, rest = piece[:left], piece[left:]
            left -= len(cut)
            tokens += times * (_tokens_of(cut, common) + len(rest.encode(errors="replace")))
    return -(-tokens * length // len(text)) if text and length > len(text) else tokens


def json_text(body: bytes) -> str:
    """Returns a JSON document as text, with the escapes in its strings resolved. It need not be valid or complete."""
    text = body.decode(errors="replace")
    if "\\" not in text:
        return text
    text = _ESCAPES.sub(_unescaped, text)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def sample(body: bytes) -> bytes:
    """Returns the body, or its beginning and its end if it is too large to be counted."""
    if len(body) <= MOST_COUNTED:
        return body
    return body[: MOST_COUNTED // 2] + body[-MOST_COUNTED // 2 :]


def _tokens_of(piece: str, common: frozenset[str]) -> int:
    if piece.isspace():
        return sum(_tokens_of_space(letter, len(list(run))) for letter, run in groupby(piece))
    tokens, at, end = 0, 0, len(piece)
    while at < end:
        for last in range(min(end, at + _LONGEST), at + 1, -1):
            if piece[at:last] in common:
                tokens, at = tokens + 1, last
                break
        else:
            letter = piece[at]
            tokens += 1 if letter in common else len(letter.encode(errors="replace"))
            at += 1
    # A vocabulary may cut a word at other places, and then it has a part more.
    return tokens + 1 if 2 * tokens <= end and piece[-1:].isalpha() and piece.isascii() else tokens


def _tokens_of_space(letter: str, times: int) -> int:
    """Returns the tokens of one kind of space in a row. Vocabularies have rows of blanks and tabs, and no others."""
    return 1 + times // _SPACES if letter in " \t" else times * len(letter.encode())


def _unescaped(found: re.Match[str]) -> str:
    code, letter = found[1], found[2]
    return chr(int(code, 16)) if code else _SHORT.get(letter, letter)


@cache
def _common() -> frozenset[str]:
    """Reads the list. It is read when the first text is counted, because most requests need no count."""
    return frozenset(files("softix_proxy").joinpath("data/common_tokens.txt").read_text("utf-8").split("\n"))
