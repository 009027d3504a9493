"""Reads a client's JSON strictly, and a provider's leniently.

Messages contain only softix's own words and never the client's input.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from softix_proxy.dialects.request.fields import MALFORMED, invalid

Object = dict[str, Any]
_ANY = msgspec.json.Decoder()
_EMPTY: Object = {}


def names(words: str) -> frozenset[str]:
    """Returns the words of a text as a set. A list of words in one string is easy to read in the code."""
    return frozenset(words.split())


def encode(value: object) -> bytes:
    return msgspec.json.encode(value)


def encode_text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def read_object(body: bytes) -> Object:
    """Reads a JSON object. Raises RefusedError if the body is none."""
    found = seen_object(body)
    if found is None:
        raise invalid("The request body is not a valid JSON object.")
    return found


def seen_object(body: bytes | str) -> Object | None:
    """Reads a JSON object. Returns None if the body is none."""
    try:
        found = _ANY.decode(body)
    except (*MALFORMED, UnicodeEncodeError):
        return None
    return found if isinstance(found, dict) else None


def text(node: Object, name: str) -> str:
    """Returns the text, or an empty one if it is absent or null."""
    value = node.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise invalid(f"`{name}` must be a string.")
    return value


def flag(node: Object, name: str) -> bool | None:
    value = node.get(name)
    if value is not None and not isinstance(value, bool):
        raise invalid(f"`{name}` must be true or false.")
    return value


def whole(node: Object, name: str) -> int | None:
    """Returns the whole number. A number such as `1.0` counts as whole."""
    value = node.get(name)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is not None and type(value) is not int:
        raise invalid(f"`{name}` must be a whole number.")
    return value


def number(node: Object, name: str) -> Any:
    value = node.get(name)
    if value is not None and type(value) not in (int, float):
        raise invalid(f"`{name}` must be a number.")
    return value


def child(node: Object, name: str) -> Object:
    """Returns the object, or an empty one if it is absent or null."""
    value = node.get(name)
    if value is None:
        return _EMPTY
    if not isinstance(value, dict):
        raise invalid(f"`{name}` must be an object.")
    return value


def children(node: Object, name: str) -> list[Object]:
    value = node.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise invalid(f"`{name}` must be a list of objects.")
    return value


def texts(node: Object, name: str) -> list[str]:
    value = node.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise invalid(f"`{name}` must be a list of strings.")
    return value


def rest(node: Object, known: frozenset[str]) -> bool:
    """Returns whether the object has members with content that are not known."""
    return not node.keys() <= known and any(
        name not in known and value is not None and value is not False and value not in ("", [], {})
        for name, value in node.items()
    )


def seen_text(node: Object, name: str) -> str:
    """Returns a text from a provider. It is empty if the value is no string."""
    value = node.get(name)
    return value if isinstance(value, str) else ""


def seen_child(node: Object, name: str) -> Object:
    value = node.get(name)
    return value if isinstance(value, dict) else _EMPTY


def seen_children(node: Object, name: str) -> list[Object]:
    value = node.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def seen_count(node: Object, name: str) -> int | None:
    value = node.get(name)
    return value if type(value) is int and 0 <= value < 2**31 else None


def said(fields: Mapping[str, Any]) -> Object:
    """Returns the members that have content. None, and empty texts, lists and objects are left out."""
    return {name: value for name, value in fields.items() if value or value == 0}


def arguments_object(arguments: str) -> Object:
    """Returns a call's arguments for a dialect that accepts objects only.

    Arguments that are no object are wrapped as Anthropic recommends.
    """
    if not arguments.strip():
        return {}
    found = seen_object(arguments)
    return {"INVALID_JSON": arguments} if found is None else found
