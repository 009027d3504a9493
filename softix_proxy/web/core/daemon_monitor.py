"""What the web room shows of the daemon's health: given by the assembly, which knows the other rooms."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.instance.readiness import Trouble


@dataclass(slots=True)
class DaemonMonitor:
    check: Callable[[], Awaitable[Trouble | None]]
    """None, or why requests cannot be served now."""
    render_metrics: Callable[[], bytes]
    count_refusal: Callable[[str, Code], None]
    """(Endpoint or `-`, why)."""
    draining: bool = field(default=False)
    """The daemon is stopping: no new requests."""
