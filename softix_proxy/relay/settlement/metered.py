"""What an exchange used, and how that is known: from what the provider reported and from what was seen to pass.

One pure rule for whole answers, streams, translated ones, realtime responses and the lines of batches.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil
from typing import NamedTuple

from softix_proxy.dialects.core.base import RequestSpec, UsageReport
from softix_proxy.dialects.core.written import written_bytes
from softix_proxy.domain.metering.settlement import UNPRICED
from softix_proxy.domain.metering.usage import UsageSource
from softix_proxy.domain.pricing.meters import INPUT_METERS, OUTPUT_METERS, Meters, total
from softix_proxy.relay.core.plan import BYTES_PER_TOKEN
from softix_proxy.relay.settlement.observed import Observed

IMPLAUSIBLE = "implausible_usage"
"""The note on a row whose report was finished and cannot be true."""
UNDIVIDED = "undivided_usage"
"""The note on a row whose report told only the sum of input and output."""
INPUT_UNKNOWN = "input_unknown"
"""The note on an estimate that leaves out what was asked, since nobody has it any more."""
_MOST_SEEN = 64
"""Tokens that were seen, for each that is reported: 256 bytes. No vocabulary has tokens of more than 128 bytes."""
_ENVELOPE_BYTES = 16 * 1024
_MOST_BYTES = _MOST_SEEN * BYTES_PER_TOKEN
_MOST_BYTES_WITH_PROBABILITIES = 4096
"""Of an answer, for each token that it reports, with the twenty likeliest instead of it."""


class Metered(NamedTuple):
    source: UsageSource
    meters: Meters
    notes: tuple[str, ...] = ()


_PROVIDER = UsageSource.PROVIDER  # once: to look it up there takes 0.2 µs
NOTHING = Metered(UsageSource.NONE, {})
_UNKNOWN = Metered(UsageSource.INTERRUPTED, {})


def metered(observed: Observed, spec: RequestSpec) -> Metered:
    """How the quantities are known, and what they are.

    A report of a finished answer is exact, unless it cannot be true. Of a cut one it says what went in, and what came
    out is at least what was seen to pass. Without any report both are judged by their bytes, unless the request says
    what is typical. Where nothing of the answer was seen, and the client did not leave by itself, nobody knows.
    """
    if observed.refused or not observed.started:
        return NOTHING
    report, body_bytes, seen = observed.report, observed.request_bytes or 0, _seen_tokens(observed, spec)
    if report is not None:
        added = _left_out(report, seen, spec, body_bytes, failed=observed.stream_failed)
        meters = {**report.meters, **spec.counted, "requests": 1}
        for name, tokens in (added or {}).items():
            meters[name] = meters.get(name, 0) + tokens
        if not observed.complete:
            unreported = max(seen - total(meters, OUTPUT_METERS), 0)
            meters["output_tokens"] = meters.get("output_tokens", 0) + unreported
        if added is not None:
            return Metered(UsageSource.ESTIMATE, meters, (UNDIVIDED if report.undivided else IMPLAUSIBLE,))
        return Metered(_PROVIDER if observed.complete else UsageSource.PARTIAL, meters)
    if observed.complete and spec.counted:  # nothing else is charged, so nothing else has to be told
        return Metered(UsageSource.PROVIDER, {**spec.counted, "requests": 1})
    if observed.complete or observed.client_left or observed.streamed:
        meters = {**_judged(spec, body_bytes, seen), **spec.counted, "requests": 1}
        if observed.request_bytes is not None:
            return Metered(UsageSource.ESTIMATE, meters)
        meters.pop("input_tokens", None)
        return Metered(UsageSource.ESTIMATE, meters, (INPUT_UNKNOWN,))
    return _UNKNOWN


def unpriced_notes(unpriced: Iterable[str], report: UsageReport | None) -> tuple[str, ...]:
    """For the row: what has no price, and what the answer tells of that no meter counts."""
    return tuple(f"{UNPRICED}{name}" for name in (*unpriced, *(report.unpriced if report is not None else ())))


def answer_tokens(report: UsageReport | None, answer: bytes, spec: RequestSpec) -> int:
    """Judges a whole answer by its text, where that is needed to judge its report; else 0, since to look takes time."""
    if spec.max_output_tokens == 0:
        return 0
    if report is not None and not _leaves_doubt(report.meters, len(answer)):
        return 0
    return -(-written_bytes(answer) // BYTES_PER_TOKEN)


def _leaves_doubt(meters: Meters, answer_bytes: int) -> bool:
    read = meters.get("input_tokens") or total(meters, INPUT_METERS)
    made = meters.get("output_tokens") or total(meters, OUTPUT_METERS)
    if not (read and made):
        return True
    most = _MOST_BYTES if answer_bytes < _ENVELOPE_BYTES else _MOST_BYTES_WITH_PROBABILITIES
    return answer_bytes > made * most


def _seen_tokens(observed: Observed, spec: RequestSpec) -> int:
    seen = observed.seen_tokens
    return seen if spec.max_output_tokens is None else min(seen, spec.max_output_tokens * spec.choices)


def _left_out(report: UsageReport, seen: int, spec: RequestSpec, body_bytes: int, *, failed: bool) -> Meters | None:
    """What a report must have left out, to be added to it; None where it may be true.

    It cannot be true where it tells of no input though there is an answer, or of so little output that no token would
    be short enough. An answer that no model made, one that repeats the request, an empty request, a silent recording:
    there nothing is a true count. Of one that failed, some servers count the token that was to come first.
    """
    meters = report.meters
    output = meters.get("output_tokens")
    if output and meters.get("input_tokens") and seen <= output * _MOST_SEEN and not report.undivided:
        return None  # by far the most frequent
    if report.unmade or spec.counted:
        return None
    if spec.priced_by:
        silent = any(meters.values()) or (spec.by_size and not seen)
        return None if silent else _judged(spec, body_bytes, seen)
    read, made = total(meters, INPUT_METERS), total(meters, OUTPUT_METERS)
    if report.undivided:
        return {"input_tokens": -min(seen, read), "output_tokens": min(seen, read)} if seen else None
    sides = frozenset[str]()
    answered = seen or spec.max_output_tokens == 0 or (made and not failed)
    if not read and answered and not spec.reads_nothing:
        sides |= INPUT_METERS
    if seen > made * _MOST_SEEN and not spec.echoes:
        sides |= OUTPUT_METERS
    if not sides:
        return None
    judged = {name: tokens for name, tokens in _judged(spec, body_bytes, seen).items() if name in sides}
    if sides >= OUTPUT_METERS and made:
        judged["output_tokens"] = max(judged.get("output_tokens", 0) - made, 0)
    return {name: tokens for name, tokens in judged.items() if tokens}


def _judged(spec: RequestSpec, body_bytes: int, seen_tokens: int) -> Meters:
    if spec.typical is not None:
        return spec.typical
    if spec.by_size:
        return {meter: ceil(scale.typical * body_bytes) for meter, scale in spec.by_size.items()}
    return {"input_tokens": -(-body_bytes // BYTES_PER_TOKEN), "output_tokens": seen_tokens}
