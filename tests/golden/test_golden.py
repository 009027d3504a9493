"""Each case is what a client sends, what a provider answers, and what softix has to make of both.

`<endpoint>/<case>.request.json` or `.request.form`, then `.answer.json`, `.sse`, or `.stream` for one without
server-sent events, and `.expected.json`: some fields of the Ask, the whole Report, and of a stream how it ended,
whether anything is held until then, which events are kept from a client that did not ask for them, and the estimate of
its output.
"""

from __future__ import annotations

import re
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.observations import of_answer, of_stream

from softix_proxy.dialects.core.base import StreamMeter, UsageReport
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.domain.pricing.meters import METERS
from softix_proxy.relay.settlement.metered import metered

HERE = Path(__file__).parent
CASES = sorted(str(path.relative_to(HERE)).removesuffix(".expected.json") for path in HERE.rglob("*.expected.json"))
KINDS = ("sse", "stream")
STREAMS = {case: kind for case in CASES for kind in KINDS if (HERE / f"{case}.{kind}").exists()}


@cache
def read(case: str, kind: str) -> bytes:
    return (HERE / f"{case}.{kind}").read_bytes()


def request_of(case: str) -> bytes:
    return read(case, "request.form" if (HERE / f"{case}.request.form").exists() else "request.json")


def expected(case: str) -> Any:
    return msgspec.json.decode(read(case, "expected.json"))


def meter_of(case: str) -> StreamMeter:
    endpoint = ENDPOINTS[case.split("/")[0]]
    return endpoint.stream(hide_usage=not endpoint.read(request_of(case)).wants_usage)


def stream_of(case: str) -> bytes:
    return read(case, STREAMS[case])


def sent(case: str) -> bytes:
    """What the client gets."""
    if STREAMS[case] != "sse":
        return stream_of(case)
    events = [event for event in re.split(rb"(?<=\n\n)|(?<=\n\r\n)", read(case, "sse")) if event]
    return b"".join(event for number, event in enumerate(events) if number not in expected(case)["hidden_events"])


def told(report: UsageReport | None) -> dict[str, Any] | None:
    """What a case says of a report: without the remarks that it does not make, which few do."""
    if report is None:
        return None
    remarks = ("undivided", "unmade", "unpriced")
    return {name: value for name, value in asdict(report).items() if name not in remarks or value}


def outcome(meter: StreamMeter) -> dict[str, Any]:
    return {
        "report": told(meter.report),
        "ended": meter.ended,
        "failure": meter.failure,
        "estimate": meter.estimate_output_tokens(),
    }


def test_golden_cases_cover_each_endpoint() -> None:
    assert {case.split("/")[0] for case in CASES} == set(ENDPOINTS)


@pytest.mark.parametrize("case", CASES)
def test_golden_request_is_read_as_expected(case: str) -> None:
    spec = asdict(ENDPOINTS[case.split("/")[0]].read(request_of(case)))
    wanted = expected(case)["ask"]
    assert msgspec.json.decode(msgspec.json.encode({name: spec[name] for name in wanted})) == wanted


@pytest.mark.parametrize("case", sorted(set(CASES) - STREAMS.keys()))
def test_golden_answer_has_the_expected_report(case: str) -> None:
    report = ENDPOINTS[case.split("/")[0]].report(read(case, "answer.json"))
    assert msgspec.json.decode(msgspec.json.encode(told(report))) == expected(case)["report"]
    assert report is None or report.meters.keys() <= METERS.keys()


@pytest.mark.parametrize("case", STREAMS)
def test_golden_stream_has_the_expected_outcome_and_bytes(case: str) -> None:
    meter, wanted = meter_of(case), expected(case)
    before = meter.feed(stream_of(case))
    found = outcome(meter)
    if wanted["estimate"] is None:
        del found["estimate"]
    assert msgspec.json.decode(msgspec.json.encode(found)).items() <= wanted.items()
    held = meter.take_held()
    assert before + held == sent(case)
    assert bool(held) is wanted.get("held", wanted["ended"])
    assert meter.finishing or not wanted["ended"] or wanted["failure"]


@given(case=st.sampled_from(sorted(STREAMS)), data=st.data())
@settings(max_examples=300, deadline=None)
def test_golden_stream_in_random_chunks_has_the_same_outcome(case: str, data: st.DataObject) -> None:
    stream = stream_of(case)
    whole, meter = meter_of(case), meter_of(case)
    whole.feed(stream)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(stream) - 1), max_size=40)))
    got, taken = b"", False
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        got += meter.feed(stream[start:end])
        if meter.ended and not taken:
            got, taken = got + meter.take_held(), True
    assert (got if taken else got + meter.take_held()) == sent(case)
    assert outcome(meter) == outcome(whole)


@pytest.mark.parametrize("case", STREAMS)
def test_golden_stream_byte_by_byte_has_the_same_outcome(case: str) -> None:
    whole, meter = meter_of(case), meter_of(case)
    whole.feed(stream_of(case))
    got = b"".join(meter.feed(bytes([byte])) for byte in stream_of(case))
    assert got + meter.take_held() == sent(case)
    assert outcome(meter) == outcome(whole)


@pytest.mark.parametrize("case", CASES)
def test_golden_report_is_charged_unchanged(case: str) -> None:
    """None of them is so odd that what was seen would be believed instead."""
    endpoint = ENDPOINTS[case.split("/")[0]]
    spec, asked_bytes = endpoint.read(request_of(case)), len(request_of(case))
    if case in STREAMS:
        meter = meter_of(case)
        meter.feed(stream_of(case))
        observed = of_stream(meter, complete=True, request_bytes=asked_bytes)
    else:
        observed = of_answer(endpoint, read(case, "answer.json"), spec, request_bytes=asked_bytes)
    found = metered(observed, spec)
    report = expected(case)["report"]
    assert found.notes == () and (report is None or found.meters == {**report["meters"], **spec.counted, "requests": 1})
