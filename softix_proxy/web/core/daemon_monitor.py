"""The health of the daemon as the web package shows it.

The assembly supplies it, because it knows the other packages.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.instance.readiness import Trouble


@dataclass(slots=True)
class DaemonMonitor:
    check: Callable[[], Awaitable[Trouble | None]]
    """The function that returns None, or the reason why requests cannot be served now."""
    render_metrics: Callable[[], bytes]
    count_refusal: Callable[[str, Code], None]
    """The function that counts a refusal, by the endpoint or `-` and by the code of the reason."""
    leaving: bool = field(default=False)
    """Whether the daemon will stop soon. It still serves, and asks balancers to look elsewhere."""
    draining: bool = field(default=False)
    """Whether the daemon is stopping and takes no new requests."""
