"""What was seen of one exchange with a provider, frozen when it is charged."""

from __future__ import annotations

from softix_proxy.dialects.core.base import UsageReport
from softix_proxy.domain.core.records import record
from softix_proxy.domain.metering.settlement import FailedAttempt


@record(frozen=True, slots=True)
class Observed:
    """The provider's work is told here, not what the client received of it.

    Requests, realtime responses and lines of batches differ in these values, and not in the rule that charges them.
    """

    started: bool = False
    """The provider may have seen the request."""
    complete: bool = False
    """The answer came to its end, or to its terminal event."""
    refused: bool = False
    """The provider answered with an error: there is no work to bill."""
    client_left: bool = False
    report: UsageReport | None = None
    """The last that the provider said of its own work."""
    streamed: bool = False
    """The answer was read as a stream, of which anything may have passed."""
    stream_failed: bool = False
    """The provider sent an error within the stream."""
    seen_tokens: int = 0
    """What was produced, judged by what passed. Of a whole answer only where its report leaves a doubt; else 0."""
    request_bytes: int | None = 0
    """The size of what was asked; None where it is not known any more."""
    status_code: int | None = None
    """The provider's; where it did not answer, what the client was told instead."""
    error: str | None = None
    """A code, where it did not end well."""
    latency_ms: int = 0
    ttfb_ms: int | None = None
    failed: tuple[FailedAttempt, ...] = ()
    """The attempts that preceded this one and came to nothing, with what is charged for them."""
