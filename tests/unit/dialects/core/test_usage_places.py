from __future__ import annotations

from typing import Any

import pytest

from softix_proxy.dialects.core import usage_places
from softix_proxy.dialects.core.tokens import openai_report
from softix_proxy.dialects.core.usage_places import CACHED, LONG, RARE, SEARCHES, WRITTEN

USAGE = {"prompt_tokens": 1000, "completion_tokens": 10, "total_tokens": 1010}


def meters(**more: Any) -> Any:
    report = openai_report({**USAGE, **more}, None, None)
    assert report is not None and not report.clamped
    return report.meters


@pytest.mark.parametrize("holder", usage_places.DETAILS_IN)
@pytest.mark.parametrize(
    ("meter", "place"), [("cached_input_tokens", CACHED), ("cache_write_5m_tokens", WRITTEN)], ids=["read", "written"]
)
def test_cache_count_in_each_place_is_read_and_taken_out_of_the_prompt(
    holder: str, meter: str, place: usage_places.CounterPath
) -> None:
    found = {"input_tokens": 600, meter: 400, "output_tokens": 10}
    for name in place.within:
        assert meters(**{holder: {name: 400}}) == found
    for name in place.beside:
        assert meters(**{name: 400}) == found
        assert meters(**{holder: {place.within[0]: 400}, name: 400}) == found, "it is told twice, and counts once"


@pytest.mark.parametrize(("holder", "name"), LONG)
def test_long_cache_write_count_in_each_place_is_read(holder: str, name: str) -> None:
    found = {"input_tokens": 600, "cache_write_1h_tokens": 300, "cache_write_5m_tokens": 100, "output_tokens": 10}
    told = {holder: {name: 300}}
    assert meters(prompt_tokens_details={"cache_write_tokens": 400, **told}) == found
    assert meters(cache_creation_input_tokens=400, **told) == found
    alone = {"input_tokens": 700, "cache_write_1h_tokens": 300, "output_tokens": 10}
    assert meters(**told) == alone


@pytest.mark.parametrize(("holder", "name"), SEARCHES)
def test_search_count_in_each_place_is_read(holder: str, name: str) -> None:
    told = {holder: {name: 3}} if holder else {name: 3}
    assert meters(**told)["web_search_calls"] == 3
    assert "web_search_calls" not in meters(**({holder: {name: 0}} if holder else {name: 0}))


def test_places_beside_the_totals_are_listed_as_rare() -> None:
    assert {*CACHED.beside, *WRITTEN.beside} <= RARE and "" not in RARE
    assert RARE.isdisjoint(USAGE)
