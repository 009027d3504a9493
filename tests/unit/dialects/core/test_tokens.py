from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.dialects.core.tokens import (
    count,
    divide,
    input_report,
    model_name,
    openai_report,
    read_answer,
    tell,
    tier,
)
from softix_proxy.domain.pricing.meters import INPUT_METERS, METERS, OUTPUT_METERS, total


def meters(usage: Any) -> Any:
    report = openai_report(usage, None, None)
    return report and dict(report.meters)


@pytest.mark.parametrize(
    ("name", "expected"),
    [(name, name) for name in ("flex", "priority", "scale", "fast", "batch")]
    + [(name, "standard") for name in (None, "auto", "default", "standard", "standard_only", "on_demand", "")]
    + [(name, "unknown") for name in ("wombat", 5, ["flex"])],
)
def test_tier_with_any_name_is_a_known_tier_or_unknown(name: object, expected: str) -> None:
    assert tier(name) == expected


def test_model_name_with_an_invalid_name_is_none() -> None:
    assert model_name("gpt-4o-2024-08-06") == "gpt-4o-2024-08-06"
    assert model_name("a b") is model_name(5) is model_name(None) is None


@pytest.mark.parametrize(
    "value", [-1, True, 1.5, "5x", "-5", "1.5", "", "9" * 40, None, 10**9 + 1, 1e300, Decimal("1e999999"), [1]]
)
def test_count_with_an_implausible_value_is_none(value: object) -> None:
    assert count({"a": value}, "a") is None
    assert count({"a": value, "b": 3}, "a", "b") == 3
    assert count(value, "a") is None


@pytest.mark.parametrize("value", [12, 12.0, "12", "12.0", "012", Decimal("12.00")])
def test_count_written_as_a_fraction_or_text_is_read(value: object) -> None:
    assert count({"a": value}, "a") == 12


def test_divide_with_parts_larger_than_the_whole_clamps_them() -> None:
    assert divide(10, {"a": 3, "b": 0}, "rest") == ({"rest": 7, "a": 3}, False)
    assert divide(10, {"a": 8, "b": 5}, "rest") == ({"rest": 0, "a": 8, "b": 2}, True)
    assert divide(0, {"a": 8}, "rest") == ({"rest": 0}, True)


@pytest.mark.parametrize("usage", [None, {}, [], 5, "5", {"prompt_tokens": None}])
def test_openai_report_without_any_count_is_none(usage: Any) -> None:
    assert openai_report(usage, "m", "flex") is None


def test_openai_report_with_one_count_has_only_its_meter() -> None:
    assert meters({"prompt_tokens": 5}) == {"input_tokens": 5}
    assert meters({"completion_tokens": 0}) == {"output_tokens": 0}


def test_openai_report_with_all_parts_of_the_input_divides_them() -> None:
    details = {
        "cached_tokens": 10,
        "cache_write_tokens": 30,
        "cache_write_tokens_details": {"ttl_12h_tokens": 20},
        "audio_tokens": 5,
        "image_tokens": 4,
    }
    assert meters({"input_tokens": 100, "input_tokens_details": details}) == {
        "input_tokens": 51,
        "cached_input_tokens": 10,
        "cache_write_1h_tokens": 20,
        "cache_write_5m_tokens": 10,
        "audio_input_tokens": 5,
        "image_input_tokens": 4,
    }


def test_openai_report_with_reasoning_outside_the_completion_reads_it_from_the_total() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 35}
    assert meters(usage) == {"input_tokens": 10, "output_tokens": 5, "reasoning_tokens": 20}
    usage["completion_tokens_details"] = {"reasoning_tokens": 20}  # type: ignore[assignment]
    assert meters(usage) == {"input_tokens": 10, "output_tokens": 5, "reasoning_tokens": 20}


def test_openai_report_with_the_cache_on_top_of_the_total_counts_no_reasoning() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 23, "cached_tokens": 8}
    assert meters(usage) == {"input_tokens": 2, "cached_input_tokens": 8, "output_tokens": 5}


COUNT = st.integers(0, 10**6)
DETAILS = st.dictionaries(
    st.sampled_from(["cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens", "reasoning_tokens"]), COUNT
)


@given(COUNT, COUNT, DETAILS, DETAILS)
def test_openai_report_with_any_details_has_disjoint_meters_that_sum_to_the_totals(
    asked: int, answered: int, left: Any, right: Any
) -> None:
    usage = {
        "prompt_tokens": asked,
        "completion_tokens": answered,
        "total_tokens": asked + answered,
        "prompt_tokens_details": left,
        "completion_tokens_details": right,
    }
    report = openai_report(usage, None, None)
    assert report is not None and report.meters.keys() <= METERS.keys()
    assert total(report.meters, INPUT_METERS) == asked and total(report.meters, OUTPUT_METERS) == answered
    inputs = sum(left.get(name, 0) for name in left if name != "reasoning_tokens")
    outputs = sum(right.get(name, 0) for name in ("reasoning_tokens", "audio_tokens", "image_tokens"))
    assert report.clamped is (inputs > asked or outputs > answered)


def test_tell_with_several_places_returns_the_first_above_zero() -> None:
    assert tell({"a": 0, "b": "7"}, "a", "b") == 7
    assert tell({"a": 0}, "a", "b") == 0 and tell({"a": -1}, "a") is None


@pytest.mark.parametrize(
    ("usage", "found"),
    [
        ({"prompt_tokens": 90, "total_tokens": 100}, {"input_tokens": 90, "output_tokens": 10}),
        ({"completion_tokens": 10, "total_tokens": 100}, {"input_tokens": 90, "output_tokens": 10}),
        ({"prompt_tokens": 0, "completion_tokens": 10, "total_tokens": 100}, {"input_tokens": 90, "output_tokens": 10}),
        ({"prompt_tokens": 0, "input_tokens": 90, "output_tokens": 10}, {"input_tokens": 90, "output_tokens": 10}),
        ({"prompt_tokens": "90", "completion_tokens": 10.0}, {"input_tokens": 90, "output_tokens": 10}),
        ({"total_tokens": 100}, {"input_tokens": 100}),
    ],
)
def test_openai_report_without_one_side_reads_it_from_the_total(usage: Any, found: dict[str, int]) -> None:
    assert meters(usage) == found


def test_openai_report_with_only_a_total_is_undivided() -> None:
    report = openai_report({"total_tokens": 100}, None, None)
    assert report is not None and report.undivided


@pytest.mark.parametrize(
    "usage", [{"total_tokens": 100}, {"prompt_tokens": 0, "total_tokens": 100}, {"prompt_tokens": 100}]
)
def test_input_report_with_a_total_or_a_prompt_counts_it_all_as_input(usage: Any) -> None:
    report = input_report(usage, None, None)
    assert report is not None and report.meters == {"input_tokens": 100} and not report.undivided


def test_read_answer_with_a_body_that_is_no_object_returns_none() -> None:
    assert read_answer(b"<html>") is read_answer(b"[]") is read_answer(b"\xff") is read_answer(b"") is None
