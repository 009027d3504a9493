"""The port to the commands that the admin API offers: what each takes and returns, and how one is run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NamedTuple, Protocol

from softix_proxy.domain.access.operations import NamedOperation
from softix_proxy.domain.privacy.technical_data import NOWHERE, CallOrigin

Json = Mapping[str, Any]
"""A JSON Schema (draft 2020-12)."""


class AdminParameter(NamedTuple):
    """One parameter of a command."""

    name: str
    """Its name in a query or a body: that of the option, with `_` in place of `-`."""
    schema: Json
    help: str
    is_required: bool
    is_file: bool = False
    """Whether the value is what is in a file."""


@dataclass(frozen=True, slots=True)
class AdminCommand:
    """A command of the command line, as the admin API offers it."""

    operation: NamedOperation
    summary: str
    parameters: tuple[AdminParameter, ...]
    answer: Json | None
    """The schema of what it returns. None if that is a file."""
    has_version: bool
    """Whether the answer has a version, by which a later change can be bound to it."""
    is_versioned: bool
    """Whether a change can be bound to the version of what it changes."""

    @property
    def name(self) -> str:
        return self.operation.name

    @property
    def path(self) -> str:
        """The words of the command: `keys/revoke`."""
        return self.name.replace(".", "/")

    @property
    def method(self) -> str:
        """GET for what only reads. A file does not fit into a query, so that a command that reads one is a POST."""
        return "POST" if self.operation.changes or any(each.is_file for each in self.parameters) else "GET"

    @property
    def is_list(self) -> bool:
        return self.answer is not None and self.answer.get("type") == "array"


@dataclass(frozen=True, slots=True)
class AdminCall:
    """One call of a command."""

    name: str
    values: Mapping[str, Any] = field(repr=False)
    """The parameters, which have been checked against their schemas."""
    token: str = field(repr=False)
    """The admin token by which it acts."""
    version: str | None = None
    """The version that the thing must still have when it is changed."""
    idempotency_key: str | None = None
    """The word by which the caller knows this call again."""
    origin: CallOrigin = NOWHERE
    """From where it came."""


class AdminAnswer(NamedTuple):
    """What a command printed."""

    value: Any = None
    """The JSON, unless it is a file."""
    file: BinaryIO | None = None
    """The content of a file, which whoever gets this closes."""
    content_type: str = "application/json"
    exit_code: int = 0
    """1 if the command succeeded and found something that is not as it should be."""
    is_repeated: bool = False
    """Whether this is the kept answer of an earlier call, and nothing was done."""


class AdminCommands(Protocol):
    """The commands of this program."""

    async def table(self) -> Mapping[str, AdminCommand]:
        """Returns the offered commands by their names. The first call takes a second, in which others are served."""
        ...

    async def run(self, call: AdminCall) -> AdminAnswer:
        """Runs a command as its token may.

        Raises OperatorError as the command does: NotPermittedError without the permission, StaleError if the thing has
        another version, RepeatedCallError if the idempotency key cannot be answered, OverloadedError if too many wait.
        """
        ...

    async def close(self) -> None:
        """Waits for the commands that run."""
        ...
