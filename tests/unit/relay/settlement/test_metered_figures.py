"""Words and thresholds of docs/metering.md, at their last number and at the one after it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from support.observations import seen

from softix_proxy.dialects.core.base import RequestSpec, Scale, UsageReport, Written
from softix_proxy.domain.metering.text_tokens import count_tokens
from softix_proxy.domain.metering.usage import UsageSource
from softix_proxy.relay.settlement.metered import (
    END_UNSEEN,
    IMPLAUSIBLE,
    INPUT_UNKNOWN,
    UNDIVIDED,
    answer_tokens,
    metered,
    needs_count,
    unpriced_notes,
)


def test_usage_row_notes_are_the_documented_words() -> None:
    assert (IMPLAUSIBLE, UNDIVIDED, INPUT_UNKNOWN) == ("implausible_usage", "undivided_usage", "input_unknown")


@pytest.mark.parametrize(
    ("unpriced", "report", "notes"),
    [
        ((), None, ()),
        (("images",), None, ("unpriced:images",)),
        ((), UsageReport({}, unpriced=("code_interpreter",)), ("unpriced:code_interpreter",)),
        (("images",), UsageReport({}, unpriced=("shell",)), ("unpriced:images", "unpriced:shell")),
    ],
)
def test_unpriced_notes_name_the_unpriced_meters_and_tools(
    unpriced: tuple[str, ...], report: UsageReport | None, notes: tuple[str, ...]
) -> None:
    assert tuple(unpriced_notes(unpriced, report)) == notes


# A token has at most 256 bytes: 64 tokens of what is seen, at four bytes each


@pytest.mark.parametrize(
    ("output", "seen_tokens", "expected"),
    [(3, 192, (UsageSource.PROVIDER, 3, ())), (3, 193, (UsageSource.ESTIMATE, 193, (IMPLAUSIBLE,)))],
)
@pytest.mark.parametrize("split", [False, True])
def test_report_with_tokens_of_more_than_256_bytes_is_replaced(
    output: int, seen_tokens: int, expected: tuple[UsageSource, int, tuple[str, ...]], split: bool
) -> None:
    """Whether all of the output is told as one number, or a part as thoughts."""
    told = {"output_tokens": output - 1, "reasoning_tokens": 1} if split else {"output_tokens": output}
    found = metered(
        seen(complete=True, report=UsageReport({"input_tokens": 9, **told}), seen_tokens=seen_tokens), RequestSpec("m")
    )
    made = sum(found.meters.get(name, 0) for name in ("output_tokens", "reasoning_tokens"))
    assert (found.source, made, found.notes) == expected
    assert found.meters["input_tokens"] == 9


def answer_of(length: int) -> bytes:
    """A whole answer of so many bytes."""
    empty = b'{"choices": [{"message": {"content": ""}}]}'
    return empty[:-5] + b"a" * (length - len(empty)) + empty[-5:]


@pytest.mark.parametrize(
    ("meters", "length", "judged"),
    [
        ({"input_tokens": 9, "output_tokens": 3}, 3 * 256, False),
        ({"input_tokens": 9, "output_tokens": 3}, 3 * 256 + 1, True),
        ({"cached_input_tokens": 9, "reasoning_tokens": 3}, 3 * 256, False),
        ({"input_tokens": 9, "output_tokens": 63}, 16_383, True),
        ({"input_tokens": 9, "output_tokens": 4}, 16_384, False),
        ({"input_tokens": 9, "output_tokens": 5}, 5 * 4096, False),
        ({"input_tokens": 9, "output_tokens": 5}, 5 * 4096 + 1, True),
        ({"input_tokens": 9}, 100, True),
        ({"output_tokens": 9}, 100, True),
        ({}, 100, True),
        (None, 100, True),
    ],
)
def test_answer_tokens_are_counted_only_above_the_thresholds_of_bytes_a_token(
    meters: dict[str, int] | None, length: int, judged: bool
) -> None:
    """256 bytes a token; of an answer of 16 KiB and more, which may have probabilities, 4,096."""
    answer = answer_of(length)
    assert len(answer) == length
    letters = length - len(answer_of(43))
    found = answer_tokens(None if meters is None else UsageReport(meters), answer, RequestSpec("m"))
    assert found == (count_tokens("a" * letters) if judged else 0)
    assert answer_tokens(None, answer, RequestSpec("m", max_output_tokens=0)) == 0


# Estimates


@pytest.mark.parametrize(("request_bytes", "tokens"), [(0, 0), (1, 1), (401, 401)])
def test_estimate_of_the_input_without_the_request_is_a_token_for_each_byte(request_bytes: int, tokens: int) -> None:
    found = metered(seen(complete=True, seen_tokens=3, request_bytes=request_bytes), RequestSpec("m"))
    assert found == (UsageSource.ESTIMATE, {"input_tokens": tokens, "output_tokens": 3, "requests": 1}, ())
    assert type(found.meters["input_tokens"]) is int


def test_estimate_by_size_is_rounded_up() -> None:
    spec = RequestSpec("m", by_size={"audio_ms": Scale(Fraction(2), Fraction(1, 3))})
    found = metered(seen(complete=True, request_bytes=100), spec)
    assert found == (UsageSource.ESTIMATE, {"audio_ms": 34, "requests": 1}, ())


def test_metered_usage_of_stream_or_disconnect_without_report_is_an_estimate() -> None:
    """The client left, or the stream broke off: both may have had something of it."""
    for known in (seen(streamed=True, seen_tokens=2), seen(client_left=True, seen_tokens=2)):
        assert metered(known, RequestSpec("m")).source is UsageSource.ESTIMATE
    counted = RequestSpec("m", counted={"characters": 9})
    assert metered(seen(client_left=True), counted) == (
        UsageSource.ESTIMATE,
        {"input_tokens": 0, "output_tokens": 8, "characters": 9, "requests": 1},
        (),
    )


def test_estimate_of_the_output_is_at_most_the_requested_limit_times_the_choices() -> None:
    known = seen(streamed=True, seen_tokens=100)
    for spec, tokens in (
        (RequestSpec("m", max_output_tokens=20, choices=2), 40),
        (RequestSpec("m", max_output_tokens=60), 60),
    ):
        assert metered(known, spec).meters["output_tokens"] == tokens
    assert metered(known, RequestSpec("m", choices=3)).meters["output_tokens"] == 100


# Reports of cut answers


def test_report_of_a_cut_answer_counts_what_was_seen_beyond_all_its_output() -> None:
    report = UsageReport({"input_tokens": 7, "output_tokens": 20, "reasoning_tokens": 10})
    for seen_tokens, output in ((30, 20), (31, 21)):
        found = metered(seen(streamed=True, report=report, seen_tokens=seen_tokens), RequestSpec("m"))
        wanted = {"input_tokens": 7, "output_tokens": output, "reasoning_tokens": 10, "requests": 1}
        assert found == (UsageSource.PARTIAL, wanted, ())
    silent = metered(seen(streamed=True, report=UsageReport({"input_tokens": 7}), seen_tokens=5), RequestSpec("m"))
    assert silent == (UsageSource.ESTIMATE, {"input_tokens": 7, "output_tokens": 5, "requests": 1}, (IMPLAUSIBLE,))


# Reports of one sum


@pytest.mark.parametrize(
    ("seen_tokens", "expected"),
    [
        (0, (UsageSource.PROVIDER, {"input_tokens": 100, "requests": 1}, ())),
        (30, (UsageSource.ESTIMATE, {"input_tokens": 70, "output_tokens": 30, "requests": 1}, (UNDIVIDED,))),
        (130, (UsageSource.ESTIMATE, {"input_tokens": 0, "output_tokens": 100, "requests": 1}, (UNDIVIDED,))),
    ],
)
def test_report_of_one_sum_is_divided_by_the_text_of_the_answer(
    seen_tokens: int, expected: tuple[UsageSource, dict[str, int], tuple[str, ...]]
) -> None:
    report = UsageReport({"input_tokens": 100}, undivided=True)
    assert metered(seen(complete=True, report=report, seen_tokens=seen_tokens), RequestSpec("m")) == expected


# Reports without input, or without output


@pytest.mark.parametrize(
    ("meters", "seen_tokens", "failed", "spec", "expected"),
    [
        ({"output_tokens": 4}, 0, False, RequestSpec("m"), {"input_tokens": 400, "output_tokens": 4}),
        ({"output_tokens": 4}, 0, True, RequestSpec("m"), None),
        ({"output_tokens": 4}, 4, True, RequestSpec("m"), {"input_tokens": 400, "output_tokens": 4}),
        ({}, 0, False, RequestSpec("m", max_output_tokens=0), {"input_tokens": 400}),
        ({}, 0, False, RequestSpec("m"), None),
        ({"output_tokens": 4}, 4, False, RequestSpec("m", reads_nothing=True), None),
        ({"input_tokens": 5}, 9, False, RequestSpec("m", echoes=True), None),
        (
            {"input_tokens": 5, "reasoning_tokens": 1},
            65,
            False,
            RequestSpec("m"),
            {"input_tokens": 5, "reasoning_tokens": 1, "output_tokens": 64},
        ),
        ({"input_tokens": 5, "reasoning_tokens": 1}, 64, False, RequestSpec("m"), None),
    ],
)
def test_report_without_input_or_output_is_completed_on_that_side_alone(
    meters: dict[str, int], seen_tokens: int, failed: bool, spec: RequestSpec, expected: dict[str, int] | None
) -> None:
    """Of 400 bytes that were asked, 400 tokens."""
    known = seen(
        complete=True, report=UsageReport(meters), seen_tokens=seen_tokens, stream_failed=failed, request_bytes=400
    )
    if expected is None:
        assert metered(known, spec) == (UsageSource.PROVIDER, {**meters, "requests": 1}, ())
    else:
        assert metered(known, spec) == (UsageSource.ESTIMATE, {**expected, "requests": 1}, (IMPLAUSIBLE,))


def test_report_without_the_only_priced_meters_is_completed() -> None:
    sized = RequestSpec("m", priced_by=("audio_ms",), by_size={"audio_ms": Scale(Fraction(2), Fraction(1, 8))})
    for seen_tokens, expected in ((0, (UsageSource.PROVIDER, 0, ())), (1, (UsageSource.ESTIMATE, 50, (IMPLAUSIBLE,)))):
        known = seen(complete=True, report=UsageReport({"audio_ms": 0}), seen_tokens=seen_tokens, request_bytes=400)
        found = metered(known, sized)
        assert (found.source, found.meters["audio_ms"], found.notes) == expected
    typical = RequestSpec("m", priced_by=("images",), typical={"images": 3})
    assert metered(seen(complete=True, report=UsageReport({})), typical) == (
        UsageSource.ESTIMATE,
        {"images": 3, "requests": 1},
        (IMPLAUSIBLE,),
    )


# Counts of texts that nobody reported

WORDS = Written(" word" * 100, 500, 100)
"""100 tokens, each of which came alone."""


def left(written: Written, ran_ms: int | None, **more: Any) -> int:
    """The output that a client pays who left a stream after so many milliseconds of it."""
    ttfb_ms = None if ran_ms is None else 40
    known = seen(
        streamed=True, client_left=True, written=written, latency_ms=40 + (ran_ms or 0), ttfb_ms=ttfb_ms, **more
    )
    found = metered(known, RequestSpec("m"))
    assert found.source is UsageSource.ESTIMATE
    return found.meters["output_tokens"]


@pytest.mark.parametrize(
    ("written", "ran_ms", "tokens"),
    [
        (WORDS, 10_000, 100 + 8),
        (WORDS, 2500, 100 + 10),
        (WORDS, 2400, 100 + 11),
        (WORDS, 250, 100 + 100),
        (WORDS, 1, 100 + 100),
        (WORDS, None, 100 + 100),
        (WORDS._replace(pieces=10), 10_000, 100 + 20),
        (WORDS._replace(pieces=9), 10_000, 100 + 23),
        (WORDS._replace(pieces=0), 10_000, 100 + 200),
        (WORDS._replace(pieces=300), 10_000, 300 + 8),
        (WORDS._replace(letters=1000), 10_000, 200 + 8),
        (Written("", 0, 0), 10_000, 8),
    ],
)
def test_client_that_leaves_pays_the_text_and_what_was_on_its_way(
    written: Written, ran_ms: int | None, tokens: int
) -> None:
    """A quarter of a second's output, at least two pieces and eight tokens."""
    assert left(written, ran_ms) == tokens


def test_count_of_a_text_grows_with_the_tokens_of_the_provider_s_vocabulary() -> None:
    assert left(WORDS, 10_000, tokens_per_piece=Fraction(5, 4)) == 125 + 8
    whole = seen(complete=True, seen_tokens=9, tokens_per_piece=Fraction(5, 4))
    assert metered(whole, RequestSpec("m")).meters["output_tokens"] == 12


def test_stream_that_nobody_left_has_nothing_on_its_way() -> None:
    for known in (seen(streamed=True, written=WORDS), seen(complete=True, streamed=True, written=WORDS)):
        assert metered(known, RequestSpec("m")).meters["output_tokens"] == 100
    ended = seen(complete=True, client_left=True, streamed=True, written=WORDS)
    assert metered(ended, RequestSpec("m")).meters["output_tokens"] == 100


def test_report_of_a_stream_that_was_left_is_raised_to_what_passed_and_was_on_its_way() -> None:
    report = UsageReport({"input_tokens": 7, "output_tokens": 20, "reasoning_tokens": 10})
    known = seen(streamed=True, client_left=True, report=report, written=WORDS, latency_ms=10_000, ttfb_ms=0)
    found = metered(known, RequestSpec("m"))
    assert found.source is UsageSource.PARTIAL
    assert found.meters == {"input_tokens": 7, "output_tokens": 98, "reasoning_tokens": 10, "requests": 1}


@pytest.mark.parametrize(
    ("request_bytes", "body", "weight", "tokens"),
    [
        (50, b" word" * 10, Fraction(1), 10),
        (50, b" word" * 10, Fraction(5, 4), 13),
        (100, b" word" * 10, Fraction(1), 20),
        (100, b" word" * 10, Fraction(5, 4), 25),
        (10, b"\\u0020word", Fraction(1), 1),
        (0, b"", Fraction(1), 0),
        (70, None, Fraction(5, 4), 70),
    ],
)
def test_input_is_counted_from_the_request_or_a_sample_of_it(
    request_bytes: int, body: bytes | None, weight: Fraction, tokens: int
) -> None:
    known = seen(client_left=True, request_bytes=request_bytes, request=body, tokens_per_piece=weight)
    assert metered(known, RequestSpec("m")).meters["input_tokens"] == tokens


@pytest.mark.parametrize(
    ("report", "seen_tokens", "complete", "needed"),
    [
        (None, 0, True, True),
        (UsageReport({"output_tokens": 9}), 9, False, True),
        (UsageReport({"output_tokens": 9}), 9, True, False),
        (UsageReport({"output_tokens": 1}), 64, True, False),
        (UsageReport({"output_tokens": 1}), 65, True, True),
        (UsageReport({"reasoning_tokens": 1}), 64, True, False),
        (UsageReport({}), 1, True, True),
        (UsageReport({}), 0, True, False),
    ],
)
def test_text_of_a_stream_is_needed_if_no_report_has_its_tokens(
    report: UsageReport | None, seen_tokens: int, complete: bool, needed: bool
) -> None:
    assert needs_count(report, seen_tokens, complete=complete) is needed


def test_end_that_was_not_seen_leaves_the_usage_unknown_and_is_noted() -> None:
    known = seen(streamed=True, client_left=True, unseen=True, report=UsageReport({"input_tokens": 7}), seen_tokens=9)
    assert metered(known, RequestSpec("m")) == (UsageSource.INTERRUPTED, {}, ("end_unseen",))
    assert END_UNSEEN == "end_unseen"
    assert metered(replace(known, refused=True), RequestSpec("m")).source is UsageSource.NONE
    assert metered(replace(known, started=False), RequestSpec("m")).source is UsageSource.NONE
    assert metered(replace(known, complete=True), RequestSpec("m")).source is not UsageSource.INTERRUPTED
