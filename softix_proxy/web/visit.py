"""What the handlers of the URL table are given of a request, and what they return."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from softix_proxy.dialects.core.base import Family
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.relay.realtime.sessions import Sessions
from softix_proxy.relay.request.lifecycle import Lifecycle
from softix_proxy.web.monitor import Monitor

if TYPE_CHECKING:
    from softix_proxy.relay.batch.batches import Batches


@dataclass(frozen=True, slots=True)
class House:
    """What the handlers work with."""

    lifecycle: Lifecycle
    storage: Storage
    monitor: Monitor
    sessions: Sessions
    batches: Callable[[], Batches]
    """Made at the first use."""


@dataclass(frozen=True, slots=True)
class Visit:
    house: House
    family: Family
    name: str
    """The end of the path, where the route has a name in it."""
    credential: str | None = field(repr=False)
    address: str


@dataclass(frozen=True, slots=True)
class Answer:
    body: bytes
    status: int = 200
    content_type: str = "application/json"
