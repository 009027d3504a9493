"""Converts between Google's two spellings of each name, and between its two kinds of schema."""

from __future__ import annotations

import re
from typing import Any

from softix_proxy.dialects.canonical.json_values import Object

_UNDERSCORE = re.compile(r"_([a-z])")
_DEEPEST = 64
_LISTS = ("anyOf", "any_of", "prefixItems", "prefix_items")


def camel(node: Object) -> Object:
    """Returns the object with its own names in camel case. Names within its members stay unchanged."""
    for name in node:
        if "_" in name:
            break
    else:
        return node
    return {_UNDERSCORE.sub(lambda match: match[1].upper(), name): value for name, value in node.items()}


def json_schema(schema: Any, depth: int = 0) -> Any:
    """Converts Google's own schema to a JSON schema: types are in lower case, and null is one of them."""
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return schema
    found: Object = {}
    for name, value in camel(schema).items():
        if name == "type" and isinstance(value, str):
            found[name] = value.lower()
        elif name == "properties" and isinstance(value, dict):
            found[name] = {key: json_schema(inner, depth + 1) for key, inner in value.items()}
        elif name in _LISTS and isinstance(value, list):
            found[name] = [json_schema(inner, depth + 1) for inner in value]
        elif name in ("items", "additionalProperties"):
            found[name] = json_schema(value, depth + 1)
        elif name not in ("nullable", "propertyOrdering"):
            found[name] = value
    if schema.get("nullable") is True and isinstance(found.get("type"), str):
        found["type"] = [found["type"], "null"]
    return found


def without_dialect(schema: Any) -> Any:
    """Returns a JSON schema without the name of its schema language, which Google does not accept."""
    if isinstance(schema, dict) and "$schema" in schema:
        return {name: value for name, value in schema.items() if name != "$schema"}
    return schema
