"""Counts of tokens without a vocabulary, compared with those of real vocabularies."""

from __future__ import annotations

import base64
import json
import random
import string
from functools import cache
from pathlib import Path
from typing import Any

import bpe_openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softix_proxy.domain.metering.text_tokens import MOST_COUNTED, count_tokens, json_text, sample

ROOT = Path(__file__).parents[4]
CHANCE = random.Random(7)
VOCABULARIES = ("cl100k_base", "o200k_base")
CHAT = (
    "Sure! Here's a quick way to do it. First, open the settings and click on the privacy tab; then you'll see three "
    "options that you can turn on or off. I'd recommend leaving the second one enabled, because it keeps your account "
    "safe even if somebody else knows your password. "
)


def letters(alphabet: str, number: int = 8000) -> str:
    return "".join(CHANCE.choices(alphabet, k=number))


def between(first: int, last: int, number: int = 3000) -> str:
    return "".join(chr(CHANCE.randint(first, last)) for _ in range(number))


HONEST = {
    "chat": (CHAT * 20, 1.15),
    "documents": ("".join(sorted(p.read_text() for p in (ROOT / "docs").glob("*.md")))[:60_000], 1.35),
    "code": ("".join(sorted(p.read_text() for p in (ROOT / "softix_proxy/relay/request").glob("*.py")))[:60_000], 1.6),
    "german": (
        "Als Gregor Samsa eines Morgens aus unruhigen Träumen erwachte, fand er sich in seinem Bett zu einem "
        "ungeheueren Ungeziefer verwandelt. Der Bundesrat hat gestern über die Änderung des Gesetzes beraten.",
        1.8,
    ),
    "chinese": (
        "人工智能是计算机科学的一个分支,它企图了解智能的实质,并生产出一种新的能以人类智能相似的方式做出反应的智能机器。",
        3.0,
    ),
}
"""Text as people send it, and the most that its count may be above the lower of two vocabularies."""
DENSE = {
    "base64": base64.b64encode(CHANCE.randbytes(9000)).decode(),
    "hex": CHANCE.randbytes(4000).hex(),
    "digits": letters(string.digits),
    "numbers": " ".join(str(CHANCE.randrange(10**6)) for _ in range(2000)),
    "small letters": letters(string.ascii_lowercase),
    "letters": letters(string.ascii_letters),
    "invented words": " ".join(letters(string.ascii_lowercase, CHANCE.randint(1, 8)) for _ in range(2000)),
    "punctuation": letters(string.punctuation),
    "printable": letters(string.printable),
    "spaces": letters(" \t\n"),
    "han": between(0x4E00, 0x9FFF),
    "hangul": between(0xAC00, 0xD7A3),
    "emoji": between(0x1F300, 0x1F64F),
    "anything": between(0xA0, 0xD7FF),
    "two letters": "qX" * 3000,
    "one letter": "a" * 5000,
}


@cache
def vocabulary(name: str) -> Any:
    return bpe_openai.get_encoding(name)


def real(text: str, name: str) -> int:
    return len(vocabulary(name).encode(text, disallowed_special=()))


@pytest.mark.parametrize("kind", HONEST)
def test_count_of_honest_text_is_no_lower_than_a_real_one_and_near_it(kind: str) -> None:
    text, most = HONEST[kind]
    counts = [real(text, name) for name in VOCABULARIES]
    assert max(counts) <= count_tokens(text) <= min(counts) * most


@pytest.mark.parametrize("kind", DENSE)
@pytest.mark.parametrize("name", VOCABULARIES)
def test_count_of_dense_text_is_no_lower_than_a_real_one(kind: str, name: str) -> None:
    assert count_tokens(DENSE[kind]) >= real(DENSE[kind], name)


@given(
    st.lists(st.text(max_size=40) | st.text(string.printable, max_size=80) | st.sampled_from(CHAT.split()), max_size=30)
)
@settings(max_examples=300, deadline=None)
def test_count_of_any_text_is_hardly_lower_than_a_real_one_and_at_most_its_bytes(parts: list[str]) -> None:
    text = " ".join(parts)
    counted = count_tokens(text)
    assert counted <= len(text.encode())
    for name in VOCABULARIES:
        most = real(text, name)
        assert counted >= most - 2 - most // 5


def test_count_of_a_part_is_scaled_to_all_of_it() -> None:
    assert count_tokens(" word" * 10, 100) == 20
    assert count_tokens(" word" * 10, 50) == count_tokens(" word" * 10) == 10
    assert count_tokens("", 100) == 0


def test_json_text_resolves_escapes() -> None:
    value = {"a": 'é中😀\n"\\/'}
    escaped = json.dumps(value).encode()
    assert json_text(escaped) == '{"a": "é中😀\n"\\/"}'
    assert json_text(b'{"a":"\\ud83d"}') == '{"a":"\ufffd"}' and json_text(b"\xff\\u12") == "\ufffdu12"


def test_sample_of_a_large_body_is_its_beginning_and_its_end() -> None:
    small = b"x" * MOST_COUNTED
    assert sample(small) is small
    large = b"a" * MOST_COUNTED + b"b" * MOST_COUNTED
    assert sample(large) == b"a" * (MOST_COUNTED // 2) + b"b" * (MOST_COUNTED // 2)
