"""Reads the forms that Stripe's SDK sends: `a[b][0][c]=1` is `{"a": {"b": [{"c": "1"}]}}`."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

_PART = re.compile(r"\[([^\]]*)\]")


def read_form(text: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        head, _, _ = name.partition("[")
        keys = [head, *_PART.findall(name)]
        place: Any = made
        for key in keys[:-1]:
            place = place.setdefault(key, {})
        last = keys[-1]
        place[last if last else str(len(place))] = value
    listed: dict[str, Any] = _lists(made)
    return listed


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(key.isdigit() for key in value):
        return [_lists(value[key]) for key in sorted(value, key=int)]
    return {key: _lists(one) for key, one in value.items()}
