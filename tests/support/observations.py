"""What is seen of an exchange that came to its end, for the rule that charges it."""

from __future__ import annotations

from typing import Any

from softix_proxy.dialects.core.base import ProviderEndpoint, RequestSpec, StreamMeter
from softix_proxy.relay.settlement.metered import answer_tokens
from softix_proxy.relay.settlement.observed import Observed


def seen(**changes: Any) -> Observed:
    """The provider may have seen the request; what else is known is given."""
    return Observed(**{"started": True, **changes})


def of_stream(meter: StreamMeter, **changes: Any) -> Observed:
    """A stream, as far as its meter read it."""
    return seen(
        report=meter.report,
        streamed=True,
        stream_failed=meter.failure is not None,
        seen_tokens=meter.estimate_output_tokens(),
        **changes,
    )


def of_answer(endpoint: ProviderEndpoint, answer: bytes, ask: RequestSpec, **changes: Any) -> Observed:
    """A whole answer."""
    report = endpoint.report(answer)
    return seen(complete=True, report=report, seen_tokens=answer_tokens(report, answer, ask), **changes)
