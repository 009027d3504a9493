"""The parts that every dialect of the demo has: a request, the whole response, and the frames of a stream."""

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
    """A JSON value, or the text of an event that is not JSON."""
    event: str | None = None
    tokens: int = 0
    """The number of output tokens in the event, which is 0 or 1."""

    def encode(self) -> bytes:
        data = self.data.encode() if isinstance(self.data, str) else msgspec.json.encode(self.data)
        name = f"event: {self.event}\n".encode() if self.event else b""
        return b"%bdata: %b\n\n" % (name, data)


@dataclass(frozen=True, slots=True)
class DemoTurn:
    """The facts of one response, which are the same in every dialect."""

    id: str
    created_s: int
    input_tokens: int
    reply: Reply


@dataclass(eq=False)
class DemoError(Exception):
    """An error response. Its message quotes nothing that the client wrote."""

    status: int
    message: str
    code: str | None = None
    """OpenAI's `code`, in addition to the type that follows from the status."""


class DemoRequest(Protocol):
    """A decoded body of one endpoint."""

    family: ClassVar[DemoFamily]
    model: str

    @property
    def streams(self) -> bool: ...

    @property
    def prompt(self) -> list[Any]:
        """All values whose text counts as input."""
        ...

    @property
    def limit(self) -> int | None:
        """The most output tokens of a choice. None if the client set no limit."""
        ...

    @property
    def tool(self) -> NamedTool | None: ...

    @property
    def choices(self) -> int: ...

    def whole(self, turn: DemoTurn) -> dict[str, Any]: ...

    def frames(self, turn: DemoTurn) -> Iterator[ServerSentEvent]: ...
