"""Writes the demo's text and counts its tokens. The same text always has the same count."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

ANSWER = (
    "Hello! You have reached the demo model that is built into softix. I am not a language model: whatever is asked, "
    "I answer with these sentences, and I neither keep nor repeat a word of it. What is real is everything around me: "
    "your key was checked, money was set aside, each of these tokens is counted, and the charge is on your balance "
    "now. Add a real provider, change the model's name, and nothing else changes."
)
_PIECE = re.compile(r" ?[^\W\d_]{1,7}|\d{1,3}|.", re.DOTALL)


def pieces(text: str) -> tuple[str, ...]:
    """Returns the tokens of a text. Joined, they give the text again."""
    return tuple(_PIECE.findall(text))


def count(value: Any) -> int:
    """Counts the tokens of all text in a decoded JSON value. A number in a list is one token."""
    if isinstance(value, str):
        return sum(1 for _ in _PIECE.finditer(value))
    if isinstance(value, dict):
        return sum(count(item) for item in value.values() if not isinstance(item, int))
    if isinstance(value, list):
        return sum(1 if isinstance(item, int) else count(item) for item in value)
    return 0


@dataclass(frozen=True, slots=True)
class NamedTool:
    """A tool that the request told the model to call."""

    name: str
    schema: Any
    """The JSON Schema of its arguments, as the client wrote it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One choice: a text, or the arguments of one tool call."""

    pieces: tuple[str, ...]
    complete: bool
    """Whether the reply is whole. It is not if the limit cut it."""
    tool: NamedTool | None = None

    @property
    def text(self) -> str:
        return "".join(self.pieces)


def compose(limit: int, tool: NamedTool | None) -> Reply:
    """Returns the demo's reply, which has at most `limit` tokens."""
    whole = pieces(ANSWER if tool is None else msgspec.json.encode(example(tool.schema)).decode())
    return Reply(whole[:limit], len(whole) <= limit, tool)


def forced_tool(offered: Iterator[NamedTool], choice: Any, words: tuple[str, ...]) -> NamedTool | None:
    """Returns the tool that must be called.

    It is the first one if the choice is a word of the dialect that means any, or else the named one.
    """
    kind = choice.get("type") if isinstance(choice, dict) else choice
    if kind in words:
        return next(offered, None)
    if not isinstance(choice, dict):
        return None
    named = choice.get("function")
    name = named.get("name") if isinstance(named, dict) else choice.get("name")
    return next((tool for tool in offered if tool.name == name), None)


_EXAMPLES: dict[str, Any] = {"string": "demo", "integer": 1, "number": 1, "boolean": True, "array": []}


def example(schema: Any) -> Any:
    """Returns a value that fits a simple schema. Required members are filled in, and others are left out."""
    if not isinstance(schema, dict):
        return {}
    if isinstance(options := schema.get("enum"), list) and options:
        return options[0]
    kind = schema.get("type")
    if isinstance(kind, str) and kind in _EXAMPLES:
        return _EXAMPLES[kind]
    required, properties = schema.get("required"), schema.get("properties")
    if not isinstance(required, list) or not isinstance(properties, dict):
        return {}
    return {name: example(properties.get(name)) for name in required if isinstance(name, str)}
