"""Google's two spellings of each name, and its two kinds of schema."""

from __future__ import annotations

import re
from typing import Any

from softix_proxy.dialects.canonical.json_values import Object

_UNDERSCORE = re.compile(r"_([a-z])")
_DEEPEST = 64
_LISTS = ("anyOf", "any_of", "prefixItems", "prefix_items")


def camel(node: Object) -> Object:
    """With its own names in camel case; what is within stays."""
    for name in node:
        if "_" in name:
            break
    else:
        return node
    return {_UNDERSCORE.sub(lambda match: match[1].upper(), name): value for name, value in node.items()}


def json_schema(schema: Any, depth: int = 0) -> Any:
    """Google's own schema as a JSON schema: types in lower case, and null as one of them."""
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
    """A JSON schema without the name of its own language, which Google does not take."""
    if isinstance(schema, dict) and "$schema" in schema:
        return {name: value for name, value in schema.items() if name != "$schema"}
    return schema
