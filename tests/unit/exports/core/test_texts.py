"""The catalogue of texts: keys, values, numbers and languages."""

from __future__ import annotations

import re
import tomllib

import pytest
from support.sources import ROOT

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.exports.core.texts import Texts, fill, texts

EN = ROOT / "softix_proxy/data/texts/en.toml"


def test_text_with_a_value_has_it_in_its_place() -> None:
    assert Texts("en", {"a.b": "Hello {name}!"}).text("a.b", name="Ada") == "Hello Ada!"


def test_text_whose_value_has_braces_keeps_them() -> None:
    assert fill("{a} and {b}", {"a": "{b}", "b": "x"}) == "{b} and x"


def test_text_without_its_value_is_an_error() -> None:
    with pytest.raises(LookupError):
        Texts("en", {"a.b": "Hello {name}!"}).text("a.b")


def test_text_of_an_unknown_key_is_an_error() -> None:
    with pytest.raises(LookupError, match=r"no text 'a\.c'"):
        Texts("en", {"a.b": ""}).text("a.c")


@pytest.mark.parametrize(("n", "told"), [(1, "1 key"), (0, "0 keys"), (2, "2 keys")])
def test_text_of_a_number_follows_it(n: int, told: str) -> None:
    assert Texts("en", {"a.b": {"one": "{n} key", "other": "{n} keys"}}).text("a.b", n=n) == told


@pytest.mark.parametrize("locale", ["xx", "../en", "en/", ""])
def test_catalogue_of_a_language_that_is_not_there_is_refused(locale: str) -> None:
    with pytest.raises(FailureError, match="no catalogue"):
        texts(locale)


def test_english_catalogue_has_sections_and_keys_in_alphabetical_order() -> None:
    sections = tomllib.loads(EN.read_text("utf-8"))
    assert list(sections) == sorted(sections)
    for section, entries in sections.items():
        assert list(entries) == sorted(entries), section


def test_english_catalogue_has_no_markup_and_no_empty_text() -> None:
    catalogue = texts()
    for key in catalogue:
        for pattern in (catalogue.pattern(key, 1), catalogue.pattern(key, 2)):
            assert pattern.strip() == pattern != "", key
            assert not re.search(r"<[a-z/]", pattern), key
