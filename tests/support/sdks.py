"""Calls of an SDK, and what came of them as plain data, so that two base URLs can be compared."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Literal

_OWN_IDS = re.compile(r"[0-9a-f]{24}|(?<=req_fake)\d+")
"""What the fake provider draws, or counts, for each request."""


@dataclass(frozen=True)
class Call:
    method: str
    """From the client on: `chat.completions.create`."""
    fields: Mapping[str, Any]
    kind: Literal["plain", "stream", "helper", "pages"] = "plain"
    """`stream` is iterated, `helper` is a context manager too and has a last word, `pages` is a list in pages."""
    last_word: str = ""
    told: Mapping[str, Any] = field(default_factory=dict)
    """Headers for the fake provider."""

    @property
    def arguments(self) -> dict[str, Any]:
        return {**self.fields, "extra_headers": dict(self.told)} if self.told else dict(self.fields)

    def _use(self, client: Any) -> list[Any]:
        made = attrgetter(self.method)(client)(**self.arguments)
        if self.kind == "plain":
            return [made]
        if self.kind == "helper":
            with made as stream:
                return [*stream, getattr(stream, self.last_word)()]
        return list(made)

    async def _use_async(self, client: Any) -> list[Any]:
        made = attrgetter(self.method)(client)(**self.arguments)
        if self.kind == "helper":
            async with made as stream:
                events = [event async for event in stream]
                return [*events, await getattr(stream, self.last_word)()]
        if self.kind == "pages":
            return [item async for item in made]
        answer = await made
        return [event async for event in answer] if self.kind == "stream" else [answer]

    async def outcome(self, client: Any) -> list[Any]:
        """The answer's objects as data, or the exception's class and facts."""
        try:
            if type(client).__name__.startswith("Async"):
                objects = await self._use_async(client)
            else:
                objects = await asyncio.to_thread(self._use, client)
        except Exception as error:
            facts = [getattr(error, name, None) for name in ("status_code", "code", "type", "body", "request_id")]
            return [kinds_of(error), *without_ids(facts)]
        return [[type(item).__name__, without_ids(as_data(item))] for item in objects]


def kinds_of(error: Exception) -> list[str]:
    """Names of its classes, the nearest first. How a connection broke off is no matter: that it did is."""
    names = [kind.__name__ for kind in type(error).__mro__]
    return names[names.index("TransportError") :] if "TransportError" in names else names


def has_sent(record: Mapping[str, Any], text: str) -> bool:
    """Whether a header of what the provider got has this text."""
    return any(text in value for _, value in record["headers"])


def as_data(item: Any) -> Any:
    return item.model_dump(warnings=False) if hasattr(item, "model_dump") else item


def without_ids(value: Any) -> Any:
    if isinstance(value, str):
        return _OWN_IDS.sub("ID", value)
    if isinstance(value, dict):
        return {name: without_ids(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_ids(item) for item in value]
    return value
