"""What a dialect makes of a request: the whole answer, or the frames of a stream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

import msgspec

from softix_proxy.demo.text import NamedTool, Reply

DemoFamily = Literal["openai", "anthropic"]


class ServerSentEvent(NamedTuple):
    """One server-sent event."""

    data: Any
    """A JSON value, or the text of an event that is none."""
    event: str | None = None
    tokens: int = 0
    """How many tokens of the answer it carries: at most one."""

    def encode(self) -> bytes:
        data = self.data.encode() if isinstance(self.data, str) else msgspec.json.encode(self.data)
        name = f"event: {self.event}\n".encode() if self.event else b""
        return b"%bdata: %b\n\n" % (name, data)


@dataclass(frozen=True, slots=True)
class DemoTurn:
    """The facts of one answer, the same in every dialect."""

    id: str
    created_s: int
    input_tokens: int
    reply: Reply


@dataclass(eq=False)
class DemoError(Exception):
    """An error answer. Its message quotes nothing that the client wrote."""

    status: int
    message: str
    code: str | None = None
    """OpenAI's `code`, beside the type that follows from the status."""


class DemoRequest(Protocol):
    """A decoded body of one endpoint."""

    family: ClassVar[DemoFamily]
    model: str

    @property
    def streams(self) -> bool: ...

    @property
    def prompt(self) -> list[Any]:
        """Everything whose text counts as input."""
        ...

    @property
    def limit(self) -> int | None:
        """The most output tokens of a choice; None where the client set none."""
        ...

    @property
    def tool(self) -> NamedTool | None: ...

    @property
    def choices(self) -> int: ...

    def whole(self, turn: DemoTurn) -> dict[str, Any]: ...

    def frames(self, turn: DemoTurn) -> Iterator[ServerSentEvent]: ...
