from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from softix_proxy.dialects.base import Ask, Scale, UsageReport
from softix_proxy.domain.usage import UsageSource
from softix_proxy.relay.metered import IMPLAUSIBLE, UNDIVIDED, metered, text_bytes, told
from softix_proxy.relay.settle import Facts

BODY_BYTES = 401


class Meter:
    def __init__(self, report: UsageReport | None = None, seen: int = 0, failure: str | None = None) -> None:
        self.report = report
        self.seen = seen
        self.failure = failure

    def estimate_output_tokens(self) -> int:
        return self.seen


def facts(**changes: Any) -> Facts:
    return Facts(**{"started": True, **changes})


REPORT = UsageReport({"input_tokens": 7, "output_tokens": 20, "reasoning_tokens": 10})


@pytest.mark.parametrize(
    ("known", "source", "meters"),
    [
        (facts(started=False), UsageSource.NONE, {}),
        (facts(refused=True, report=REPORT, complete=True), UsageSource.NONE, {}),
        (facts(report=REPORT, complete=True), UsageSource.PROVIDER, {**REPORT.meters, "requests": 1}),
        (facts(meter=Meter(REPORT, 99), complete=True), UsageSource.PROVIDER, {**REPORT.meters, "requests": 1}),
        (facts(meter=Meter(REPORT, 25)), UsageSource.PARTIAL, {**REPORT.meters, "requests": 1}),
        (facts(meter=Meter(REPORT, 35)), UsageSource.PARTIAL, {**REPORT.meters, "output_tokens": 25, "requests": 1}),
        (facts(meter=Meter(None, 9)), UsageSource.ESTIMATE, {"input_tokens": 101, "output_tokens": 9, "requests": 1}),
        (
            facts(complete=True, answer_bytes=5),
            UsageSource.ESTIMATE,
            {"input_tokens": 101, "output_tokens": 2, "requests": 1},
        ),
        (facts(hung_up=True), UsageSource.ESTIMATE, {"input_tokens": 101, "output_tokens": 0, "requests": 1}),
        (facts(), UsageSource.INTERRUPTED, {}),
    ],
)
def test_how_the_quantities_are_known(known: Facts, source: UsageSource, meters: dict[str, int]) -> None:
    assert metered(known, Ask("m"), BODY_BYTES) == (source, meters, ())


def test_what_the_request_itself_says() -> None:
    """What it counts is charged with any report, and enough without one; what is typical only where nothing tells."""
    ask = Ask("m", counted={"characters": 9}, typical={"audio_ms": 5})
    told = Facts(started=True, complete=True, report=UsageReport({"input_tokens": 1}))
    assert metered(told, ask, 400) == (UsageSource.PROVIDER, {"input_tokens": 1, "characters": 9, "requests": 1}, ())
    silent = Facts(started=True, complete=True, answer_bytes=400)
    assert metered(silent, ask, 400) == (UsageSource.PROVIDER, {"characters": 9, "requests": 1}, ())
    assert metered(silent, Ask("m", typical={"audio_ms": 5}), 400) == (
        UsageSource.ESTIMATE,
        {"audio_ms": 5, "requests": 1},
        (),
    )
    sized = Ask("m", by_size={"audio_ms": Scale(Fraction(2), Fraction(1, 8))})
    assert metered(silent, sized, 4001) == (UsageSource.ESTIMATE, {"audio_ms": 501, "requests": 1}, ())
    limited = metered(silent, Ask("m", max_output_tokens=20, choices=2), 400)
    assert limited == (UsageSource.ESTIMATE, {"input_tokens": 100, "output_tokens": 40, "requests": 1}, ())


def test_the_last_report_of_a_stream_counts() -> None:
    first, last = UsageReport({"input_tokens": 1}), UsageReport({"input_tokens": 2})
    assert told(facts(report=first, meter=Meter(last))) is last
    assert told(facts(report=first, meter=Meter())) is first and told(facts()) is None


EMPTY = {"input_tokens": 0, "output_tokens": 0}
JUDGED = {"input_tokens": 101, "output_tokens": 175, "requests": 1}


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("reported", "meters"),
    [
        (EMPTY, JUDGED),
        ({}, JUDGED),
        ({"output_tokens": 170, "input_tokens": 0}, {"input_tokens": 101, "output_tokens": 170, "requests": 1}),
        ({"input_tokens": 90, "output_tokens": 0}, {"input_tokens": 90, "output_tokens": 175, "requests": 1}),
        ({"input_tokens": 90, "output_tokens": 2}, {"input_tokens": 90, "output_tokens": 175, "requests": 1}),
    ],
)
def test_a_report_that_cannot_be_true_gives_way_to_what_was_seen(
    reported: dict[str, int], meters: dict[str, int], stream: bool
) -> None:
    seen = (
        {"meter": Meter(UsageReport(reported), 175)}
        if stream
        else {"report": UsageReport(reported), "answer_bytes": 700}
    )
    found = metered(facts(complete=True, **seen), Ask("m"), BODY_BYTES)
    assert found == (UsageSource.ESTIMATE, meters, (IMPLAUSIBLE,))


@pytest.mark.parametrize(
    ("reported", "seen", "ask"),
    [
        ({"input_tokens": 90, "output_tokens": 0}, 0, Ask("m")),
        (EMPTY, 0, Ask("m")),
        ({"input_tokens": 0, "cached_input_tokens": 90, "output_tokens": 5}, 5, Ask("m")),
        ({"input_tokens": 0, "cache_write_1h_tokens": 90, "output_tokens": 5}, 5, Ask("m")),
        ({"input_tokens": 9, "output_tokens": 0, "reasoning_tokens": 7}, 20, Ask("m")),
        ({"input_tokens": 9, "output_tokens": 0, "image_output_tokens": 1290}, 20, Ask("m")),
        ({"input_tokens": 9, "output_tokens": 3}, 3 * 64, Ask("m")),
        ({"input_tokens": 9}, 0, Ask("m", max_output_tokens=0)),
        ({"input_tokens": 0}, 0, Ask("m", max_output_tokens=0, reads_nothing=True)),
        ({"input_tokens": 9, "output_tokens": 0}, 90, Ask("m", echoes=True)),
        ({"input_tokens": 0, "output_tokens": 4}, 4, Ask("m", reads_nothing=True)),
        ({"audio_ms": 0}, 0, Ask("m", priced_by=("audio_ms",), by_size={"audio_ms": Scale(Fraction(2), Fraction(1))})),
        ({"search_units": 1}, 0, Ask("m", priced_by=("search_units",), typical={"search_units": 3})),
        ({"images": 1}, 0, Ask("m", priced_by=("images",), typical={"images": 3})),
        (EMPTY, 50, Ask("m", counted={"characters": 9})),
    ],
)
def test_a_report_that_may_be_true_is_never_raised(reported: dict[str, int], seen: int, ask: Ask) -> None:
    found = metered(facts(complete=True, meter=Meter(UsageReport(reported), seen)), ask, BODY_BYTES)
    assert found == (UsageSource.PROVIDER, {**reported, **ask.counted, "requests": 1}, ())


def test_what_no_model_made_may_well_be_nothing() -> None:
    known = facts(complete=True, report=UsageReport(EMPTY, unmade=True), answer_bytes=90)
    assert metered(known, Ask("m"), BODY_BYTES) == (UsageSource.PROVIDER, {**EMPTY, "requests": 1}, ())


def test_an_answer_that_failed_before_its_first_word_may_have_read_nothing() -> None:
    report = UsageReport({"input_tokens": 0, "output_tokens": 1})
    known = facts(complete=True, meter=Meter(report, 0, "provider_overloaded"))
    assert metered(known, Ask("m"), BODY_BYTES) == (UsageSource.PROVIDER, {**report.meters, "requests": 1}, ())
    known = facts(complete=True, meter=Meter(report, 9, "provider_overloaded"))
    assert metered(known, Ask("m"), BODY_BYTES).meters["input_tokens"] == 101


def test_a_sum_is_divided_by_what_was_seen() -> None:
    known = facts(complete=True, report=UsageReport({"input_tokens": 300}, undivided=True), answer_bytes=400)
    divided = {"input_tokens": 200, "output_tokens": 100, "requests": 1}
    assert metered(known, Ask("m"), BODY_BYTES) == (UsageSource.ESTIMATE, divided, (UNDIVIDED,))


def test_input_that_is_paid_otherwise_is_judged_by_what_is_typical() -> None:
    ask = Ask("m", priced_by=("search_units",), typical={"search_units": 3}, max_output_tokens=0)
    known = facts(complete=True, report=UsageReport({"input_tokens": 0}))
    assert metered(known, ask, BODY_BYTES) == (
        UsageSource.ESTIMATE,
        {"input_tokens": 0, "search_units": 3, "requests": 1},
        (IMPLAUSIBLE,),
    )


def test_a_cut_answer_has_read_something_too() -> None:
    known = facts(meter=Meter(UsageReport({"input_tokens": 0, "output_tokens": 1}), 9))
    assert metered(known, Ask("m"), BODY_BYTES) == (
        UsageSource.ESTIMATE,
        {"input_tokens": 101, "output_tokens": 9, "requests": 1},
        (IMPLAUSIBLE,),
    )


def test_the_text_of_an_answer_is_looked_at_only_where_its_report_leaves_a_doubt() -> None:
    answer = b'{"choices":[{"message":{"content":"' + b"x" * 700 + b'"}}]}'
    honest = UsageReport({"input_tokens": 9, "output_tokens": 175})
    assert text_bytes(honest, answer, Ask("m")) == 0
    for doubtful in (
        None,
        UsageReport(EMPTY),
        UsageReport({"output_tokens": 9}),
        UsageReport({"input_tokens": 9, "output_tokens": 2}),
    ):
        assert text_bytes(doubtful, answer, Ask("m")) == 700
    assert text_bytes(None, answer, Ask("m", max_output_tokens=0)) == 0
    assert text_bytes(honest, answer + b" " * 175 * 4000, Ask("m")) == 0  # probabilities of all tokens
