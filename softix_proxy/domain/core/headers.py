"""The HTTP headers, as the relay and the ports pass them."""

from __future__ import annotations

from collections.abc import Sequence

Header = tuple[str, str]


Headers = Sequence[Header]
"""The names are in lower case."""


def values_of(name: str, headers: Headers) -> list[str]:
    """Returns the values of every header of this name, which is in lower case."""
    return [value for each, value in headers if each == name]
