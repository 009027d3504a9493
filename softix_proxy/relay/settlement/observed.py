"""The observations of one exchange with a provider. They are frozen when the exchange is charged."""

from __future__ import annotations

from dataclasses import field
from fractions import Fraction

from softix_proxy.dialects.core.base import UsageReport, Written
from softix_proxy.domain.core.records import record
from softix_proxy.domain.metering.settlement import FailedAttempt


@record(frozen=True, slots=True)
class Observed:
    """The work of the provider, as opposed to what the client received of it.

    Requests, realtime responses and lines of batches differ in these values, and not in the rule that charges them.
    """

    started: bool = False
    """Whether the provider may have seen the request."""
    complete: bool = False
    """Whether the response came to its end, or to its terminal event."""
    refused: bool = False
    """Whether the provider responded with an error, so that there is no work to bill."""
    client_left: bool = False
    report: UsageReport | None = None
    """The provider's last report of its own work."""
    streamed: bool = False
    """Whether the response was read as a stream, of which any part may have passed."""
    stream_failed: bool = False
    """Whether the provider sent an error within the stream."""
    seen_tokens: int = 0
    """The output tokens, estimated quickly from what passed of a stream, to check its report.

    A whole response has them only if its report is in doubt, else 0. They are then counted.
    """
    request_bytes: int | None = 0
    """The size of the request in bytes. None if it is not known any more."""
    status_code: int | None = None
    """The status of the provider. If it did not respond, the status that the client got instead."""
    error: str | None = None
    """The code of the error, if the exchange did not end well."""
    latency_ms: int = 0
    ttfb_ms: int | None = None
    failed: tuple[FailedAttempt, ...] = ()
    """The failed attempts before this one, with what is charged for them."""
    unseen: bool = False
    """Whether the client left while the response ran, so that what passed does not show what was produced."""
    written: Written | None = field(default=None, repr=False)
    """The text of a stream. Its tokens are counted if no report has them."""
    request: bytes | None = field(default=None, repr=False)
    """The request, or a sample of it if it is large. Its tokens are counted if no report has them."""
    tokens_per_piece: Fraction = Fraction(1)
    """The same as in the profile of the provider."""
