"""What the fake provider is told, and what it keeps of each request."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


class Directives(dict[str, str]):
    @classmethod
    def parse(cls, text: str) -> Directives:
        pairs = (part.strip().partition("=") for part in text.split(";") if part.strip())
        return cls({name: value for name, _, value in pairs})

    @classmethod
    def of_model(cls, model: str) -> Directives:
        if not model.startswith("fake."):
            return cls()
        parts = model.removeprefix("fake.").partition(":")[0].split("+")
        return cls({name: value for name, _, value in (part.partition(".") for part in parts)})

    def number(self, name: str) -> int | None:
        return int(self[name]) if name in self else None


@dataclass
class Record:
    """What is known of one request. Tokens are those reported, once the whole answer was sent."""

    number: int
    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    connection: str
    body_sha256: str = ""
    body_bytes: int = 0
    fields: dict[str, Any] = field(default_factory=dict)
    """The top-level fields of the body, without lists and long texts."""
    directives: dict[str, str] = field(default_factory=dict)
    metered: bool = False
    status: int | None = None
    sent_tokens: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    finished: bool = False
    hung_up: bool = False


class Books:
    """Everything since the last reset, and the gates of that time."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.gates: dict[str, asyncio.Event] = {}
        self.waiting: dict[str, int] = {}
        self.script: deque[str] = deque()
        self._changed = asyncio.Event()

    def change(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            await self._changed.wait()

    def gate(self, name: str) -> asyncio.Event:
        return self.gates.setdefault(name, asyncio.Event())

    async def pass_gate(self, name: str) -> None:
        self.waiting[name] = self.waiting.get(name, 0) + 1
        self.change()
        try:
            await self.gate(name).wait()
        finally:
            self.waiting[name] -= 1

    def totals(self) -> dict[str, int]:
        """Of requests that cost: not of token counts and lists of models."""
        metered = [record for record in self.records if record.metered]
        return {
            "requests": len(metered),
            "finished": sum(record.finished for record in metered),
            "hung_up": sum(record.hung_up for record in metered),
            "input_tokens": sum(record.input_tokens for record in metered),
            "output_tokens": sum(record.output_tokens for record in metered),
        }

    def close(self) -> None:
        for gate in self.gates.values():
            gate.set()
