import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.domain.core.ids import (
    RequestIds,
    derived_public_id,
    format_request_id,
    new_public_id,
    parse_request_id,
)

NOW_US = 1_800_000_000_000_000
numbers = st.integers(0, 2**63 - 1)


@given(st.lists(st.integers(-5_000_000, 5_000_000), min_size=2, max_size=200))
def test_request_ids_with_clock_that_jumps_are_unique_and_ascending(steps_us: list[int]) -> None:
    ids, now_us, made = RequestIds(3), NOW_US, []
    for step_us in steps_us:
        now_us += step_us
        made.append(ids.next(now_us))
    assert made == sorted(set(made)) and all(0 < number < 2**63 for number in made)


def test_request_ids_beyond_the_capacity_of_a_millisecond_are_unique_and_ascending() -> None:
    ids = RequestIds(0)
    made = [ids.next(NOW_US) for _ in range((1 << 14) + 5)]
    assert len(set(made)) == len(made) and made == sorted(made)


@given(st.integers(0, 255), st.integers(0, 255))
def test_request_ids_of_different_slots_never_collide(one: int, other: int) -> None:
    first, second = (
        {ids.next(NOW_US + step) for step in range(0, 5000, 500)} for ids in (RequestIds(one), RequestIds(other))
    )
    assert one == other or not first & second


def test_request_id_of_the_year_2090_fits_63_bits() -> None:
    assert RequestIds(255).next(3_786_912_000_000_000) < 2**63
    assert RequestIds(0).next(0) >= 0


@given(numbers)
def test_request_id_formatted_and_parsed_returns_the_same_number(number: int) -> None:
    text = format_request_id(number)
    assert text.startswith("req_") and len(text) == 17 and parse_request_id(text) == number


@given(numbers, numbers)
def test_request_id_texts_sort_as_their_numbers_do(one: int, other: int) -> None:
    assert (format_request_id(one) < format_request_id(other)) == (one < other)


@given(st.text() | st.from_regex(r"req_[0-9a-z]{13}", fullmatch=True))
def test_parse_request_id_with_any_text_returns_its_number_or_none(text: str) -> None:
    number = parse_request_id(text)
    assert number is None or format_request_id(number) == text


@pytest.mark.parametrize(
    "text", ["", "req_", "req_0000000000000" + "0", "req_zzzzzzzzzzzzz", "req_000000000000u", "REQ_0000000000000"]
)
def test_parse_request_id_with_bad_text_returns_none(text: str) -> None:
    assert parse_request_id(text) is None


def test_new_public_ids_are_unique_with_prefix_and_fixed_length() -> None:
    made = {new_public_id("usr") for _ in range(100)}
    assert len(made) == 100 and all(len(one) == 20 and one.startswith("usr_") for one in made)


def test_request_ids_after_restart_with_clock_put_back_continue_after_the_last_one() -> None:
    before, now_us = RequestIds(3), 1_800_000_000_000_000
    given = [before.next(now_us) for _ in range(5)]
    after = RequestIds(3, given[-1])
    again = [after.next(now_us - 1000 * step) for step in range(5)]
    assert len({*given, *again}) == 10 and sorted(again) == again and again[0] > given[-1]
    assert RequestIds(3, given[-1]).next(now_us + 5000) == RequestIds(3).next(now_us + 5000)


def test_derived_id_is_the_same_for_the_same_parts_alone() -> None:
    made = derived_public_id("key", "usr_a", "1", "form")
    assert made == derived_public_id("key", "usr_a", "1", "form")
    assert re.fullmatch(r"key_[0-9a-hjkmnp-tv-z]{16}", made)
    others = {derived_public_id("key", *parts) for parts in (("usr_a", "1form"), ("usr_a", "1", "f"), ("usr_a1",))}
    assert made not in others and len(others) == 3
