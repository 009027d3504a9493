"""Reads the parameters of a call from a query or a body, and checks each against its schema."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.ports.admin_commands import AdminCommand, AdminParameter, Json

_MOST_FIELDS = 300
_DEEPEST = 4
_WORDS = {"boolean": "true or false", "integer": "a whole number", "number": "a number", "string": "text"}


def values_of_query(command: AdminCommand, query: str, more: Sequence[AdminParameter] = ()) -> dict[str, Any]:
    """Returns the values of a query, by name. `more` are parameters of the API itself. Raises BadInputError."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise BadInputError("the query is not UTF-8, or has too many parameters", "encode it as UTF-8") from None
    known = {each.name: each for each in (*command.parameters, *more)}
    texts: dict[str, list[str]] = {}
    for name, text in pairs:
        texts.setdefault(name, []).append(text)
    values: dict[str, Any] = {}
    for name, given in texts.items():
        parameter = _known(known, name)
        if parameter.schema["type"] == "array":
            values[name] = given
        elif len(given) > 1:
            raise BadInputError(f"{name} is given {len(given)} times", "give it once")
        else:
            values[name] = _of_text(name, given[0], parameter.schema)
    return _checked(known, values)


def values_of_body(command: AdminCommand, body: bytes) -> dict[str, Any]:
    """Returns the values of a JSON object. An empty body is one without members. Raises BadInputError."""
    if not body:
        return _checked({each.name: each for each in command.parameters}, {})
    try:
        given = json.loads(body.decode("utf-8"), object_pairs_hook=_once, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise BadInputError("the body is not JSON", "send an object with the parameters, in UTF-8") from None
    if not isinstance(given, dict):
        raise BadInputError("the body is not a JSON object", "send an object with the parameters")
    return _checked({each.name: each for each in command.parameters}, given)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuses a member that comes twice: one of the two would be ignored."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member comes twice")
    return members


def _refuse(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


def _known(known: Mapping[str, AdminParameter], name: str) -> AdminParameter:
    if name not in known:
        names = ", ".join(sorted(known)) or "none"
        raise BadInputError(f"there is no parameter {name!r}", f"it takes: {names}")
    return known[name]


def _of_text(name: str, text: str, schema: Json) -> Any:
    kind = schema["type"]
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    if kind == "integer" and text.removeprefix("-").isascii() and text.removeprefix("-").isdigit() and len(text) < 20:
        return int(text)
    if kind == "number":
        try:
            return float(text)
        except ValueError:
            pass
    if kind == "string":
        return text
    raise BadInputError(f"{name} is not {_WORDS[kind]}", f"write {_WORDS[kind]}")


def _checked(known: Mapping[str, AdminParameter], values: Mapping[str, Any]) -> dict[str, Any]:
    for name, value in values.items():
        _check(name, value, _known(known, name).schema)
    for name, parameter in known.items():
        if parameter.is_required and name not in values:
            raise BadInputError(f"{name} is missing", f"send {name}")
    return dict(values)


def _check(name: str, value: Any, schema: Json) -> None:
    kind = schema["type"]
    if kind == "array":
        if not isinstance(value, list) or len(value) > schema["maxItems"]:
            raise BadInputError(f"{name} is not a list of at most {schema['maxItems']}", "send a JSON array")
        for each in value:
            _check(name, each, schema["items"])
        return
    if not _is_of(kind, value):
        raise BadInputError(f"{name} is not {_WORDS[kind]}", f"send {_WORDS[kind]}")
    if "minLength" in schema and not value.strip():
        raise BadInputError(f"{name} is empty", f"send a value, or leave {name} out")
    if "enum" in schema and value not in schema["enum"]:
        raise BadInputError(f"{name} is none of its values", f"send one of: {', '.join(schema['enum'])}")
    if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        least, most = schema.get("minimum", "any"), schema.get("maximum", "any")
        raise BadInputError(f"{name} is out of range", f"send a number from {least} to {most}")


def _is_of(kind: str, value: Any) -> bool:
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "string":
        return isinstance(value, str)
    return not isinstance(value, bool) and isinstance(value, int if kind == "integer" else (int, float))
