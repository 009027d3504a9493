"""The texts that people read in pages and messages. A catalogue has those of one language: `data/texts/en.toml`.

A key is `section.name`. A text may have names in braces, which stand for values. A text that depends on a number is a
table with `one` and `other`, and the number is the value `n`. A text has no markup.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

from softix_proxy.domain.core.errors import FailureError

DEFAULT_LOCALE = "en"
_PLACE = re.compile(r"\{([a-z_]+)\}")
_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Z]{2})?")
TextEntry = str | Mapping[str, str]


class Texts:
    """The catalogue of one language."""

    def __init__(self, locale: str, entries: Mapping[str, TextEntry]) -> None:
        self.locale = locale
        self._entries = entries

    def __iter__(self) -> Iterator[str]:
        """Yields the keys, in the order of the file."""
        return iter(self._entries)

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def pattern(self, key: str, n: object = None) -> str:
        """Returns the text with its names in braces. Raises LookupError if the catalogue does not have the key."""
        entry = self._entries.get(key)
        if entry is None:
            raise LookupError(f"the catalogue has no text {key!r}")
        if isinstance(entry, str):
            return entry
        return entry["one" if n == 1 else "other"]

    def text(self, key: str, **values: object) -> str:
        """Returns the text with its values. Raises LookupError if the key or one of the values is missing."""
        return fill(self.pattern(key, values.get("n")), {name: str(value) for name, value in values.items()})


def fill(pattern: str, values: Mapping[str, str]) -> str:
    """Returns the pattern with its values. Raises LookupError if one is missing. Braces in a value mean nothing."""
    return _PLACE.sub(lambda place: values[place[1]], pattern)


@cache
def texts(locale: str = DEFAULT_LOCALE) -> Texts:
    """Returns the catalogue of a language. What it lacks is in English. Raises FailureError if there is none."""
    entries = _entries(DEFAULT_LOCALE)
    if locale != DEFAULT_LOCALE:
        entries = {**entries, **_entries(locale)}
    return Texts(locale, entries)


def _entries(locale: str) -> dict[str, TextEntry]:
    place = files("softix_proxy").joinpath(f"data/texts/{locale}.toml")
    if _LOCALE.fullmatch(locale) is None or not place.is_file():
        raise FailureError(f"there is no catalogue of texts for {locale!r}", "choose a language that softix has: en")
    sections = tomllib.loads(place.read_text("utf-8"))
    return {f"{section}.{name}": text for section, named in sections.items() for name, text in named.items()}
