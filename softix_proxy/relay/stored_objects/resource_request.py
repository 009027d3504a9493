"""The request about a stored object, as the relay receives it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from softix_proxy.dialects.core.base import Family
from softix_proxy.domain.core.headers import Headers
from softix_proxy.domain.ports.upstream import BodyRemainder


@dataclass(frozen=True, slots=True)
class ResourceRequest:
    """A client's request about a stored object."""

    method: str
    path: str
    """The path without the version, such as `/files/file-1/content`."""
    query: str = field(repr=False)
    headers: Headers = field(repr=False)
    credential: str | None = field(repr=False)
    address: str
    read_body: Callable[[], Awaitable[bytes]]
    rest: BodyRemainder | None = None
    """The part of a form that comes after that."""
    family: Family = "openai"
    """The family of the responses that the client reads."""
    is_heavy: bool = False
    """Whether the body is large or compressed."""
    user_agent: str = field(default="", repr=False)
    tls: str = ""
