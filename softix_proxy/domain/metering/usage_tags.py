"""The tags of usage: short words such as `team=search`, by which usage is reported.

A key has tags, and a request can add others in its header HEADER. The operator lists the names. Tags are stored with
the usage as one text: the tags in the order of their names, with a space between two of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from softix_proxy.domain.core.errors import BadInputError

HEADER = "x-softix-tag"
"""The header of a request that names tags. It can come several times, and has tags with commas between them."""
MOST_TAGS = 16
"""The most tags of one key, and of one request."""
_NAME = re.compile("[a-z][a-z0-9_-]{0,31}", re.ASCII)
_VALUE = re.compile("[A-Za-z0-9._-]{1,64}", re.ASCII)


class BadTagError(BadInputError):
    """Says why a text is no tag. The text itself may be anything, so it is not repeated."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "write for example team=search")


def checked_name(name: str) -> str:
    """Returns the name of a tag. Raises ValueError for any other text."""
    if not _NAME.fullmatch(name):
        raise ValueError("a tag's name has at most 32 small letters, digits, - and _, and begins with a letter")
    return name


def named(tags: Sequence[str]) -> dict[str, str]:
    """Returns the values of such tags by their names, in the order of the names.

    Raises BadTagError for a text that is no tag, for two tags of one name, and for too many.
    """
    found: dict[str, str] = {}
    for tag in tags:
        name, equals, value = tag.partition("=")
        if not equals or not _NAME.fullmatch(name):
            raise BadTagError("a tag is a name of small letters, an equals sign and a value")
        if not _VALUE.fullmatch(value):
            raise BadTagError(f"the value of the tag {name} has 1 to 64 letters, digits, dots, - and _")
        if name in found:
            raise BadTagError(f"the tag {name} is there twice")
        found[name] = value
    if len(found) > MOST_TAGS:
        raise BadTagError(f"there are more than {MOST_TAGS} tags")
    return dict(sorted(found.items()))


def checked(tags: Sequence[str]) -> tuple[str, ...]:
    """Returns the tags in the order of their names. Raises BadTagError."""
    return tuple(f"{name}={value}" for name, value in named(tags).items())


def split_header(values: Sequence[str]) -> list[str]:
    """Returns the tags that the values of the header have."""
    return [tag for value in values for each in value.split(",") if (tag := each.strip())]


def combined(key_tags: Sequence[str], asked: Sequence[str], allowed: Collection[str]) -> str:
    """Returns the tags of a request as they are stored: those of its key, and those that it asks for.

    A request cannot change a tag of its key, because the key's tags say who pays. Raises BadTagError for that, for a
    name that is not among `allowed`, and for what is no tag.
    """
    if not asked:
        return " ".join(key_tags)
    fixed, added = named(key_tags), named(asked)
    for name, value in added.items():
        if name not in allowed:
            raise BadTagError(f"the tag {name} is not allowed here; {_listed(allowed)}")
        if fixed.get(name, value) != value:
            raise BadTagError(f"the tag {name} is set for this API key, and a request cannot change it")
    return " ".join(checked([f"{name}={value}" for name, value in (fixed | added).items()]))


def _listed(allowed: Collection[str]) -> str:
    return f"these are: {', '.join(sorted(allowed))}" if allowed else "the operator has allowed none"


def has_tag(stored: str, tag: str) -> bool:
    """Returns whether the tags that were stored as one text have this one."""
    return tag in stored.split(" ")


def values_of(stored: str) -> dict[str, str]:
    """Returns the values by their names of tags that were stored as one text."""
    return dict(tag.split("=", 1) for tag in stored.split(" ")) if stored else {}
