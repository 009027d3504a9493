"""Decides what an exchange used and how this is known, from the provider's report and from the observed bytes.

One pure rule covers whole responses, streams, translated ones, realtime responses and the lines of batches.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil
from typing import NamedTuple

from softix_proxy.dialects.core.base import RequestSpec, UsageReport
from softix_proxy.dialects.core.written import written_text
from softix_proxy.domain.metering.settlement import UNPRICED
from softix_proxy.domain.metering.text_tokens import MOST_COUNTED, count_tokens, json_text
from softix_proxy.domain.metering.usage import UsageSource
from softix_proxy.domain.pricing.meters import INPUT_METERS, OUTPUT_METERS, Meters, total
from softix_proxy.relay.settlement.observed import Observed

IMPLAUSIBLE = "implausible_usage"
"""The note on a usage row whose report was finished and cannot be true."""
UNDIVIDED = "undivided_usage"
"""The note on a usage row whose report gave only the sum of input and output."""
INPUT_UNKNOWN = "input_unknown"
"""The note on an estimate without the input, because nobody has the request any more."""
END_UNSEEN = "end_unseen"
"""The note on a row whose client left before the end of a response, while its cost was out of sight.

It is charged all that was held."""
_MOST_SEEN = 64
"""The most observed tokens for each reported one, which is 256 bytes. No vocabulary has tokens of over 128 bytes."""
_ENVELOPE_BYTES = 16 * 1024
_MOST_BYTES = _MOST_SEEN * 4
_MOST_BYTES_WITH_PROBABILITIES = 4096
"""The most bytes of a response for each reported token, if it lists the twenty likeliest tokens instead of one."""
_NOTICE_MS = 250
"""The time in which a provider learns that its stream was dropped. It goes on producing until then."""
_LEAST_UNDER_WAY = 8
"""The fewest tokens that a provider may have produced beside what passed."""
_PIECES_UNDER_WAY = 2
"""The pieces of text that may have been on their way, because a server learns of a disconnect when it writes."""


class Metered(NamedTuple):
    source: UsageSource
    meters: Meters
    notes: tuple[str, ...] = ()


_PROVIDER = UsageSource.PROVIDER  # this is bound once, because each lookup takes 0.2 µs
NOTHING = Metered(UsageSource.NONE, {})
_UNKNOWN = Metered(UsageSource.INTERRUPTED, {})
_UNSEEN = Metered(UsageSource.INTERRUPTED, {}, (END_UNSEEN,))


def metered(observed: Observed, spec: RequestSpec) -> Metered:
    """Returns how the quantities are known, and what they are.

    A report of a finished response is exact, unless it cannot be true. A report of an interrupted response gives the
    input, and its output is at least what was observed. Without a report, both are counted from their text, unless
    the request says what is typical. If nothing of the response was observed and the client did not leave by itself, or
    if it left a response whose cost does not show, the usage is unknown.
    """
    if observed.refused or not observed.started:
        return NOTHING
    if observed.unseen and not observed.complete:
        return _UNSEEN
    report, seen = observed.report, _capped(observed.seen_tokens, spec)
    if report is not None:
        added = _left_out(report, seen, spec, observed)
        meters = {**report.meters, **spec.counted, "requests": 1}
        for name, tokens in (added or {}).items():
            meters[name] = meters.get(name, 0) + tokens
        if not observed.complete:
            unreported = max(_made_tokens(observed, spec) - total(meters, OUTPUT_METERS), 0)
            meters["output_tokens"] = meters.get("output_tokens", 0) + unreported
        if added is not None:
            return Metered(UsageSource.ESTIMATE, meters, (UNDIVIDED if report.undivided else IMPLAUSIBLE,))
        return Metered(_PROVIDER if observed.complete else UsageSource.PARTIAL, meters)
    if observed.complete and spec.counted:  # nothing else is charged, so nothing else has to be reported
        return Metered(UsageSource.PROVIDER, {**spec.counted, "requests": 1})
    if observed.complete or observed.client_left or observed.streamed:
        meters = {**_judged(spec, observed), **spec.counted, "requests": 1}
        if observed.request_bytes is not None:
            return Metered(UsageSource.ESTIMATE, meters)
        meters.pop("input_tokens", None)
        return Metered(UsageSource.ESTIMATE, meters, (INPUT_UNKNOWN,))
    return _UNKNOWN


def unpriced_notes(unpriced: Iterable[str], report: UsageReport | None) -> tuple[str, ...]:
    """Returns the notes for the usage row: what has no price, and what the response reports without a meter for it."""
    return tuple(f"{UNPRICED}{name}" for name in (*unpriced, *(report.unpriced if report is not None else ())))


def needs_count(report: UsageReport | None, seen_tokens: int, *, complete: bool) -> bool:
    """Returns whether the text of a stream has to be counted, because no report has its tokens or it is in doubt."""
    if report is None or not complete:
        return True
    return seen_tokens > (report.meters.get("output_tokens") or total(report.meters, OUTPUT_METERS)) * _MOST_SEEN


def answer_tokens(report: UsageReport | None, answer: bytes, spec: RequestSpec) -> int:
    """Counts the tokens of a whole response from its text, if this is needed to check its report.

    Otherwise it returns 0, because the count takes time.
    """
    if spec.max_output_tokens == 0:
        return 0
    if report is not None and not _leaves_doubt(report.meters, len(answer)):
        return 0
    text = written_text(answer)
    return count_tokens(text[:MOST_COUNTED], len(text))


def _leaves_doubt(meters: Meters, answer_bytes: int) -> bool:
    read = meters.get("input_tokens") or total(meters, INPUT_METERS)
    made = meters.get("output_tokens") or total(meters, OUTPUT_METERS)
    if not (read and made):
        return True
    most = _MOST_BYTES if answer_bytes < _ENVELOPE_BYTES else _MOST_BYTES_WITH_PROBABILITIES
    return answer_bytes > made * most


def _capped(tokens: int, spec: RequestSpec) -> int:
    return tokens if spec.max_output_tokens is None else min(tokens, spec.max_output_tokens * spec.choices)


def _made_tokens(observed: Observed, spec: RequestSpec) -> int:
    """Counts the output tokens from the text that passed, with what may have been on its way when the client left."""
    written, tokens = observed.written, observed.seen_tokens
    if written is not None:
        counted = count_tokens(written.text, written.letters)
        tokens = max(written.pieces, ceil(counted * observed.tokens_per_piece))
    elif not observed.streamed:
        tokens = ceil(tokens * observed.tokens_per_piece)
    if observed.client_left and not observed.complete:
        tokens += _under_way(tokens, observed)
    return _capped(tokens, spec)


def _under_way(tokens: int, observed: Observed) -> int:
    """Returns the tokens that the provider may have produced until it learnt that the client had left."""
    pieces = 1 if observed.written is None else max(observed.written.pieces, 1)
    ran_ms = 0 if observed.ttfb_ms is None else observed.latency_ms - observed.ttfb_ms
    by_time = -(-tokens * _NOTICE_MS // max(ran_ms, _NOTICE_MS))
    return max(by_time, -(-tokens * _PIECES_UNDER_WAY // pieces), _LEAST_UNDER_WAY)


def _read_tokens(observed: Observed) -> int:
    """Counts the input tokens from the request. If nothing but its size is known, each byte is one token.

    What JSON writes around the texts makes up for what a chat template adds to them.
    """
    size_bytes, body = observed.request_bytes or 0, observed.request
    if not body or not size_bytes:
        return size_bytes
    text = json_text(body)
    tokens = count_tokens(text, -(-len(text) * size_bytes // len(body)))
    return ceil(tokens * observed.tokens_per_piece)


def _left_out(report: UsageReport, seen: int, spec: RequestSpec, observed: Observed) -> Meters | None:
    """Returns what a report must have left out, to be added to it, or None if the report may be true.

    It cannot be true if it reports no input though there is a response, or so little output that no token would be
    short enough. Zero is a true count for a response that no model made, one that repeats the request, an empty
    request, and a silent recording. For a response that failed, some servers count the token that was to come first.
    """
    meters = report.meters
    output = meters.get("output_tokens")
    if output and meters.get("input_tokens") and seen <= output * _MOST_SEEN and not report.undivided:
        return None  # this is by far the most frequent case
    if report.unmade or spec.counted:
        return None
    if spec.priced_by:
        silent = any(meters.values()) or (spec.by_size and not seen)
        return None if silent else _judged(spec, observed)
    read, made = total(meters, INPUT_METERS), total(meters, OUTPUT_METERS)
    if report.undivided:
        return {"input_tokens": -min(seen, read), "output_tokens": min(seen, read)} if seen else None
    sides = frozenset[str]()
    answered = seen or spec.max_output_tokens == 0 or (made and not observed.stream_failed)
    if not read and answered and not spec.reads_nothing:
        sides |= INPUT_METERS
    if seen > made * _MOST_SEEN and not spec.echoes:
        sides |= OUTPUT_METERS
    if not sides:
        return None
    judged = {name: tokens for name, tokens in _judged(spec, observed).items() if name in sides}
    if sides >= OUTPUT_METERS and made:
        judged["output_tokens"] = max(judged.get("output_tokens", 0) - made, 0)
    return {name: tokens for name, tokens in judged.items() if tokens}


def _judged(spec: RequestSpec, observed: Observed) -> Meters:
    if spec.typical is not None:
        return spec.typical
    if spec.by_size:
        body_bytes = observed.request_bytes or 0
        return {meter: ceil(scale.typical * body_bytes) for meter, scale in spec.by_size.items()}
    return {"input_tokens": _read_tokens(observed), "output_tokens": _made_tokens(observed, spec)}
