from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softix_proxy.domain.core.clock import DAY_US, parse_instant
from softix_proxy.domain.core.money import PICO_PER_USD
from softix_proxy.domain.metering.usage import UsageTotal
from softix_proxy.exports.metering.html_summary import SummaryPage, SummaryTable, render

FIRST_US = parse_instant("2026-10-01")
FIRST_DAY = FIRST_US // DAY_US
VOID = {"meta", "rect", "line"}
NASTY = ('<script>alert("1")</script>', "\"><img src=x onerror='y'>", "a & b", "</td></table>", "&lt;b&gt;")


class Reader(HTMLParser):
    """Elements must nest; collects which there are, their attributes, and what a person reads."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "title"):
            self.text.append(data.strip())


def total(name: str, dollars: int, requests: int = 10, day: str = "") -> UsageTotal:
    pico = dollars * PICO_PER_USD
    return UsageTotal(day or f"id-{name}", day or name, requests, 1, 1500, 2_500_000, pico // 2, pico)


def page(
    totals: Sequence[UsageTotal],
    days: Sequence[UsageTotal],
    trends: Mapping[str, Mapping[int, UsageTotal]] | None = None,
    length: int = 31,
) -> SummaryPage:
    parts = [SummaryTable(by, totals, trends or {}) for by in ("model", "user", "key")]  # type: ignore[arg-type]
    return SummaryPage("UTC", FIRST_DAY, FIRST_DAY + length, days, parts, FIRST_US, "0.1.0")


def read(shown: SummaryPage) -> Reader:
    reader = Reader()
    reader.feed("".join(render(shown)))
    reader.close()
    assert reader.open == []
    return reader


DAYS = [total("", 5, day="2026-10-01"), total("", 445, day="2026-10-03")]


def test_summary_page_with_usage_contains_its_sums_and_columns() -> None:
    ada = total("ada", 450, 20)
    reader = read(page([ada], DAYS, {ada.id: {FIRST_DAY: DAYS[0], FIRST_DAY + 2: DAYS[1]}}))
    text = "|".join(reader.text)
    assert "1 October 2026 to 31 October 2026" in text
    for shown in ("By model", "By user", "By key", "ada", "$450.00", "$225.00", "100 %", "total", "5 Oct", "$400.00"):
        assert shown in text
    assert "charged 450.00, provider's cost 225.00" in text, "the exact sums"
    html = "".join(render(page([ada], DAYS)))
    assert html.count('class="column"') == 2
    assert "2026-10-03: $445.00 charged, $222.50 cost, 10 requests" in html
    assert (
        html.count('class="spark"'),
        "".join(render(page([ada], DAYS, {ada.id: {FIRST_DAY: DAYS[0]}}))).count('class="spark"'),
    ) == (0, 3)


def test_summary_page_contains_no_script_and_no_external_resource() -> None:
    reader = read(page([total("ada", 450)], DAYS))
    assert reader.tags.isdisjoint({"script", "img", "link", "iframe", "object", "embed", "form", "a", "base"})
    assert not any(name.startswith("on") or name in ("src", "href", "action") for name, _ in reader.attributes)
    html = "".join(render(page([], DAYS[:0])))
    assert "default-src 'none'" in html and not re.search(r"https?:|url\(|@import", html)
    assert "prefers-color-scheme: dark" in html and "@media print" in html


@pytest.mark.parametrize("name", NASTY)
def test_summary_page_with_markup_in_a_name_shows_it_as_text(name: str) -> None:
    reader = read(page([total(name, 450)], DAYS))
    assert reader.text.count(name) == 3
    assert reader.tags.isdisjoint({"script", "img"})


@settings(max_examples=50, deadline=None)
@given(st.text(min_size=1, max_size=60))
def test_summary_page_with_any_name_has_the_same_elements(name: str) -> None:
    plain = read(page([total("ada", 450)], DAYS))
    odd = read(page([total(name, 450)], DAYS))
    assert (odd.tags, odd.attributes) == (plain.tags, plain.attributes)


def test_summary_page_with_many_subjects_combines_the_rest_in_one_row() -> None:
    many = [total(f"user-{number}", 30 - number) for number in range(20)]
    text = read(page(many, DAYS)).text
    assert "user-14" in text and "user-15" not in text and text.count("5 others") == 3


def test_summary_page_with_only_free_usage_shows_requests() -> None:
    free = [total("", 0, 4, "2026-10-01"), total("", 0, 8, "2026-10-02")]
    text = read(page([total("ada", 0, 12)], free, length=2)).text
    assert "Requests a day" in text and "8" in text and "provider's cost" not in text


def test_summary_page_without_usage_or_with_negative_charges_is_rendered() -> None:
    assert "Nothing was used." in read(page([], [])).text
    taken_back = UsageTotal("2026-10-02", "2026-10-02", 0, 0, 0, 0, -5, -PICO_PER_USD)
    assert "-$1.00" in read(page([total("ada", 4)], [total("", 5, day="2026-10-01"), taken_back])).text


@pytest.mark.parametrize("length", [1, 31, 366, 5000])
def test_summary_chart_with_any_number_of_days_keeps_columns_inside(length: int) -> None:
    html = "".join(render(page([total("ada", 450)], DAYS, length=length)))
    for left, top, width, height in re.findall(
        r'class="column" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', html
    ):
        assert 0 <= float(left) <= float(left) + float(width) <= 960 and float(width) > 0
        assert 0 <= float(top) <= float(top) + float(height) <= 230
