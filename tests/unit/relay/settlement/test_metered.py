from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from support.observations import seen

from softix_proxy.dialects.core.base import RequestSpec, Scale, UsageReport
from softix_proxy.domain.metering.usage import UsageSource
from softix_proxy.relay.settlement.metered import IMPLAUSIBLE, INPUT_UNKNOWN, UNDIVIDED, answer_tokens, metered
from softix_proxy.relay.settlement.observed import Observed

BODY_BYTES = 401


def whole(**changes: Any) -> Observed:
    """What is known of an exchange in which nothing was streamed."""
    return seen(**{"request_bytes": BODY_BYTES, **changes})


def stream(report: UsageReport | None = None, seen_tokens: int = 0, **changes: Any) -> Observed:
    return whole(streamed=True, report=report, seen_tokens=seen_tokens, **changes)


REPORT = UsageReport({"input_tokens": 7, "output_tokens": 20, "reasoning_tokens": 10})


@pytest.mark.parametrize(
    ("known", "source", "meters"),
    [
        (whole(started=False), UsageSource.NONE, {}),
        (whole(refused=True, report=REPORT, complete=True), UsageSource.NONE, {}),
        (whole(report=REPORT, complete=True), UsageSource.PROVIDER, {**REPORT.meters, "requests": 1}),
        (stream(REPORT, 99, complete=True), UsageSource.PROVIDER, {**REPORT.meters, "requests": 1}),
        (stream(REPORT, 25), UsageSource.PARTIAL, {**REPORT.meters, "requests": 1}),
        (stream(REPORT, 35), UsageSource.PARTIAL, {**REPORT.meters, "output_tokens": 25, "requests": 1}),
        (stream(None, 9), UsageSource.ESTIMATE, {"input_tokens": 401, "output_tokens": 9, "requests": 1}),
        (
            whole(complete=True, seen_tokens=2),
            UsageSource.ESTIMATE,
            {"input_tokens": 401, "output_tokens": 2, "requests": 1},
        ),
        (whole(client_left=True), UsageSource.ESTIMATE, {"input_tokens": 401, "output_tokens": 8, "requests": 1}),
        (whole(), UsageSource.INTERRUPTED, {}),
    ],
)
def test_metered_usage_has_the_source_and_meters_of_what_was_observed(
    known: Observed, source: UsageSource, meters: dict[str, int]
) -> None:
    assert metered(known, RequestSpec("m")) == (source, meters, ())


@pytest.mark.parametrize("spec", [RequestSpec("m"), RequestSpec("m", max_output_tokens=0)])
def test_metered_usage_of_unknown_request_counts_the_response_alone(spec: RequestSpec) -> None:
    known = seen(complete=True, seen_tokens=9, request_bytes=None)
    produced = 0 if spec.max_output_tokens == 0 else 9
    wanted = (UsageSource.ESTIMATE, {"output_tokens": produced, "requests": 1}, (INPUT_UNKNOWN,))
    assert metered(known, spec) == wanted
    reported = seen(complete=True, report=REPORT, request_bytes=None)
    assert metered(reported, spec) == (UsageSource.PROVIDER, {**REPORT.meters, "requests": 1}, ())


def test_metered_usage_with_counted_typical_or_sized_units_includes_them() -> None:
    """What it counts is charged with any report, and enough without one; what is typical only where nothing tells."""
    spec = RequestSpec("m", counted={"characters": 9}, typical={"audio_ms": 5})
    told = seen(complete=True, report=UsageReport({"input_tokens": 1}))
    assert metered(told, spec) == (UsageSource.PROVIDER, {"input_tokens": 1, "characters": 9, "requests": 1}, ())
    silent = seen(complete=True, seen_tokens=100, request_bytes=400)
    assert metered(silent, spec) == (UsageSource.PROVIDER, {"characters": 9, "requests": 1}, ())
    assert metered(silent, RequestSpec("m", typical={"audio_ms": 5})) == (
        UsageSource.ESTIMATE,
        {"audio_ms": 5, "requests": 1},
        (),
    )
    sized = RequestSpec("m", by_size={"audio_ms": Scale(Fraction(2), Fraction(1, 8))})
    longer = seen(complete=True, seen_tokens=100, request_bytes=4001)
    assert metered(longer, sized) == (UsageSource.ESTIMATE, {"audio_ms": 501, "requests": 1}, ())
    limited = metered(silent, RequestSpec("m", max_output_tokens=20, choices=2))
    assert limited == (UsageSource.ESTIMATE, {"input_tokens": 400, "output_tokens": 40, "requests": 1}, ())


EMPTY = {"input_tokens": 0, "output_tokens": 0}
JUDGED = {"input_tokens": 401, "output_tokens": 175, "requests": 1}


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize(
    ("reported", "meters"),
    [
        (EMPTY, JUDGED),
        ({}, JUDGED),
        ({"output_tokens": 170, "input_tokens": 0}, {"input_tokens": 401, "output_tokens": 170, "requests": 1}),
        ({"input_tokens": 90, "output_tokens": 0}, {"input_tokens": 90, "output_tokens": 175, "requests": 1}),
        ({"input_tokens": 90, "output_tokens": 2}, {"input_tokens": 90, "output_tokens": 175, "requests": 1}),
    ],
)
def test_metered_usage_with_implausible_report_is_estimated_from_what_was_seen(
    reported: dict[str, int], meters: dict[str, int], streamed: bool
) -> None:
    known = whole(complete=True, report=UsageReport(reported), seen_tokens=175, streamed=streamed)
    found = metered(known, RequestSpec("m"))
    assert found == (UsageSource.ESTIMATE, meters, (IMPLAUSIBLE,))


@pytest.mark.parametrize(
    ("reported", "seen_tokens", "spec"),
    [
        ({"input_tokens": 90, "output_tokens": 0}, 0, RequestSpec("m")),
        (EMPTY, 0, RequestSpec("m")),
        ({"input_tokens": 0, "cached_input_tokens": 90, "output_tokens": 5}, 5, RequestSpec("m")),
        ({"input_tokens": 0, "cache_write_1h_tokens": 90, "output_tokens": 5}, 5, RequestSpec("m")),
        ({"input_tokens": 9, "output_tokens": 0, "reasoning_tokens": 7}, 20, RequestSpec("m")),
        ({"input_tokens": 9, "output_tokens": 0, "image_output_tokens": 1290}, 20, RequestSpec("m")),
        ({"input_tokens": 9, "output_tokens": 3}, 3 * 64, RequestSpec("m")),
        ({"input_tokens": 9}, 0, RequestSpec("m", max_output_tokens=0)),
        ({"input_tokens": 0}, 0, RequestSpec("m", max_output_tokens=0, reads_nothing=True)),
        ({"input_tokens": 9, "output_tokens": 0}, 90, RequestSpec("m", echoes=True)),
        ({"input_tokens": 0, "output_tokens": 4}, 4, RequestSpec("m", reads_nothing=True)),
        (
            {"audio_ms": 0},
            0,
            RequestSpec("m", priced_by=("audio_ms",), by_size={"audio_ms": Scale(Fraction(2), Fraction(1))}),
        ),
        ({"search_units": 1}, 0, RequestSpec("m", priced_by=("search_units",), typical={"search_units": 3})),
        ({"images": 1}, 0, RequestSpec("m", priced_by=("images",), typical={"images": 3})),
        (EMPTY, 50, RequestSpec("m", counted={"characters": 9})),
    ],
)
def test_metered_usage_with_plausible_report_is_never_raised(
    reported: dict[str, int], seen_tokens: int, spec: RequestSpec
) -> None:
    found = metered(stream(UsageReport(reported), seen_tokens, complete=True), spec)
    assert found == (UsageSource.PROVIDER, {**reported, **spec.counted, "requests": 1}, ())


def test_metered_usage_of_response_not_made_by_a_model_may_be_zero() -> None:
    known = whole(complete=True, report=UsageReport(EMPTY, unmade=True), seen_tokens=23)
    assert metered(known, RequestSpec("m")) == (UsageSource.PROVIDER, {**EMPTY, "requests": 1}, ())


def test_metered_usage_of_stream_failed_before_content_may_have_no_input() -> None:
    report = UsageReport({"input_tokens": 0, "output_tokens": 1})
    known = stream(report, 0, complete=True, stream_failed=True)
    assert metered(known, RequestSpec("m")) == (UsageSource.PROVIDER, {**report.meters, "requests": 1}, ())
    known = stream(report, 9, complete=True, stream_failed=True)
    assert metered(known, RequestSpec("m")).meters["input_tokens"] == 401


def test_metered_usage_with_undivided_sum_is_divided_by_what_was_seen() -> None:
    known = whole(complete=True, report=UsageReport({"input_tokens": 300}, undivided=True), seen_tokens=100)
    divided = {"input_tokens": 200, "output_tokens": 100, "requests": 1}
    assert metered(known, RequestSpec("m")) == (UsageSource.ESTIMATE, divided, (UNDIVIDED,))


def test_metered_usage_with_missing_priced_units_uses_the_typical_number() -> None:
    spec = RequestSpec("m", priced_by=("search_units",), typical={"search_units": 3}, max_output_tokens=0)
    known = whole(complete=True, report=UsageReport({"input_tokens": 0}))
    assert metered(known, spec) == (
        UsageSource.ESTIMATE,
        {"input_tokens": 0, "search_units": 3, "requests": 1},
        (IMPLAUSIBLE,),
    )


def test_metered_usage_of_cut_response_without_input_is_estimated() -> None:
    known = stream(UsageReport({"input_tokens": 0, "output_tokens": 1}), 9)
    assert metered(known, RequestSpec("m")) == (
        UsageSource.ESTIMATE,
        {"input_tokens": 401, "output_tokens": 9, "requests": 1},
        (IMPLAUSIBLE,),
    )


def test_answer_tokens_with_doubtful_or_missing_report_are_counted_from_the_text() -> None:
    answer = b'{"choices":[{"message":{"content":"' + b" word" * 175 + b'"}}]}'
    honest = UsageReport({"input_tokens": 9, "output_tokens": 175})
    assert answer_tokens(honest, answer, RequestSpec("m")) == 0
    for doubtful in (
        None,
        UsageReport(EMPTY),
        UsageReport({"output_tokens": 9}),
        UsageReport({"input_tokens": 9, "output_tokens": 2}),
    ):
        assert answer_tokens(doubtful, answer, RequestSpec("m")) == 175
    assert answer_tokens(None, answer, RequestSpec("m", max_output_tokens=0)) == 0
    assert answer_tokens(honest, answer + b" " * 175 * 4000, RequestSpec("m")) == 0  # probabilities of all tokens
