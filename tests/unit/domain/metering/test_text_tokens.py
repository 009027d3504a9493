"""Counts of tokens without a vocabulary, compared with those of real vocabularies."""

from __future__ import annotations

import base64
import json
import random
import string
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
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
    import bpe_openai  # reads all its vocabularies, in three seconds

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
@example(["", "", "\xa0", "\x0c"])
@settings(max_examples=300, deadline=None)
def test_count_of_any_text_is_hardly_lower_than_a_real_one_and_at_most_its_bytes(parts: list[str]) -> None:
    text = " ".join(parts)
    counted = count_tokens(text)
    assert counted <= len(text.encode())
    for name in VOCABULARIES:
        most = real(text, name)
        assert counted >= most - 2 - most // 5


@pytest.mark.parametrize(
    ("space", "tokens"),
    [("  ", 1), (" " * 15, 1), (" " * 16, 2), ("\t\t", 1), (" \t ", 3), ("\n\n", 2), ("\r\n", 2), ("\xa0 \x0c", 4)],
)
def test_spaces_in_a_row_are_one_token_and_others_count_by_their_bytes(space: str, tokens: int) -> None:
    assert count_tokens(space) == tokens


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


# Figures, worked out by hand from the list of common pieces


COMMON = frozenset((ROOT / "softix_proxy/data/common_tokens.txt").read_text("utf-8").split("\n"))


def test_list_of_common_pieces_has_what_the_figures_rely_on() -> None:
    assert {" word", "word", "a", "aaaa", "b", "bb", "zz", "xx", "q", "x", " responsibilities"} <= COMMON
    assert not {"", "wordword", "zzxx", "aaaaa", "bbb", "qx", "\n", "\r", " responsibilitie", "\t "} & COMMON


def test_letters_after_the_8192nd_that_are_cut_count_by_their_bytes() -> None:
    """8,192 letters are 2,048 pieces of four, and a vocabulary may cut one elsewhere. The last 808 count one by one."""
    assert count_tokens("a" * 9000) == 2048 + 1 + 808


def test_letters_of_all_pieces_together_are_limited() -> None:
    """5,000 letters of the first are 1,250 pieces; 3,192 letters of the second are 1,596 pieces of two."""
    assert count_tokens("a" * 5000 + "." + "b" * 5000) == (1250 + 1) + 1 + (1596 + 1) + 1808


def test_piece_of_more_than_16_letters_is_not_searched_within_another() -> None:
    """The list has the 17 letters of the first word. It is cut into ` respons`, `ibilities` and `x`, with one more."""
    assert count_tokens(" responsibilitiesx") == 4


@pytest.mark.parametrize("space", [" ", "\t", "\t ", "\x0c", "\xa0"])
@pytest.mark.parametrize("name", VOCABULARIES)
def test_spaces_of_one_kind_in_a_row_or_in_turn_count_no_lower_than_a_real_count(space: str, name: str) -> None:
    for times in (1, 7, 15, 16, 17, 32, 100):
        assert count_tokens(space * times) >= real(space * times, name)


def test_blanks_count_one_token_for_sixteen_and_one_more() -> None:
    assert [count_tokens(" " * blanks) for blanks in (2, 15, 16, 31, 32)] == [1, 1, 2, 2, 3]


@pytest.mark.parametrize("newlines", ["\n" * 100, "\r" * 100, "\r\n" * 50])
def test_ends_of_lines_count_one_by_one(newlines: str) -> None:
    assert count_tokens(newlines) == 100


def test_word_that_is_cut_has_a_part_more_if_its_parts_are_long() -> None:
    assert count_tokens("wordword") == 3, "two parts of eight letters"
    assert count_tokens("zzxx") == 3, "two parts of four letters"
    assert count_tokens("qx") == 2, "each letter is a part already"


def test_half_of_a_surrogate_pair_counts_as_one_byte() -> None:
    assert count_tokens("\ud800" * 9000) == 9000


def test_count_of_a_part_is_rounded_up() -> None:
    """Ten tokens in 50 letters are 20.2 in 101."""
    counted = count_tokens(" word" * 10, 101)
    assert (counted, type(counted)) == (21, int)


def test_json_text_resolves_each_short_escape() -> None:
    assert json_text(b'"\\n\\r\\t\\b\\f\\/"') == '"\n\r\t\b\f/"'
    assert json_text(b'"\\\n"') == '"\n"', "no valid JSON"


def test_sample_has_32_kib() -> None:
    assert (len(sample(b"x" * 32_768)), len(sample(b"x" * 40_000))) == (32_768, 32_768)


def test_json_text_without_escapes_is_the_text_of_the_bytes() -> None:
    assert json_text('{"a": "é中"}'.encode()) == '{"a": "é中"}'
    assert json_text(b'"\xff"') == '"\ufffd"'
