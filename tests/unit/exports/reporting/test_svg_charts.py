import re
from collections.abc import Sequence
from datetime import date, timedelta
from html.parser import HTMLParser

import pytest

from softix_proxy.domain.core.money import PICO_PER_USD
from softix_proxy.exports.reporting.svg_charts import (
    MOST_SERIES,
    PIECES_AT_ONCE,
    BarSeries,
    DayChart,
    draw,
    in_steps,
)

NASTY = ('<script>alert("1")</script>', "\"><img src=x onerror='y'>", "a & b", "</svg></div>")
VOID = {"line", "rect"}


class Reader(HTMLParser):
    """Elements must nest; collects which there are, their attributes, and their texts."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


def chart(*amounts: Sequence[int], names: Sequence[str] = ("a", "b", "c")) -> DayChart:
    days = [date(2026, 11, 1) + timedelta(days=at) for at in range(len(amounts[0]))]
    series = [BarSeries(name, given) for name, given in zip(names, amounts, strict=False)]
    return DayChart("spend", "Charged by day", "Nine dollars", days, series)


def read(drawn: DayChart) -> Reader:
    reader = Reader()
    reader.feed("".join(draw(drawn)))
    reader.close()
    assert reader.open == []
    return reader


def rectangles(drawn: DayChart) -> list[tuple[str, int, int, int, int]]:
    found = re.findall(r'<rect class="(\w+)" x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)"/>', "".join(draw(drawn)))
    return [(name, *map(int, numbers)) for name, *numbers in found]  # type: ignore[misc]


def test_chart_has_a_title_and_a_description_for_those_who_do_not_see_it() -> None:
    reader = read(chart([PICO_PER_USD]))
    assert ("role", "img") in reader.attributes
    assert ("aria-labelledby", "spend-title spend-text") in reader.attributes
    assert {("id", "spend-title"), ("id", "spend-text")} <= set(reader.attributes)
    assert "Charged by day" in reader.texts and "Nine dollars" in reader.texts


def test_parts_of_a_column_stand_on_each_other_without_a_gap() -> None:
    parts = rectangles(chart([3 * PICO_PER_USD], [PICO_PER_USD]))
    assert [part[0] for part in parts] == ["s0", "s1"]
    (_, _, y, _, height), (_, _, upper_y, _, upper_height) = parts
    assert y + height == 1000 and upper_y + upper_height == y and upper_y >= 0
    assert height == 3 * upper_height


@pytest.mark.parametrize("days", [1, 2, 3, 30, 366])
def test_columns_of_any_number_of_days_stay_inside(days: int) -> None:
    drawn = chart([PICO_PER_USD * (at % 7) for at in range(days)], [PICO_PER_USD] * days)
    for _, left, top, width, height in rectangles(drawn):
        assert left >= 0 and left + width <= 100 * days and top >= 0 and top + height <= 1000


def test_amount_below_nothing_is_drawn_as_nothing() -> None:
    assert rectangles(chart([-5, 0])) == []


@pytest.mark.parametrize("name", NASTY)
def test_hostile_name_is_shown_as_it_is_and_does_nothing(name: str) -> None:
    reader = read(
        DayChart("x", name, name, [date(2026, 1, 1)], [BarSeries(name, [1]), BarSeries("b", [1])], lambda _: name)
    )
    assert set(reader.tags) <= {"div", "span", "svg", "title", "desc", "line", "rect", "g", "ul", "li"}
    assert not any(attribute == "style" or attribute.startswith("on") for attribute, _ in reader.attributes)
    assert name in " ".join(reader.texts) or name.split("<")[0] in " ".join(reader.texts)


def test_chart_of_one_part_has_no_legend() -> None:
    assert "ul" not in read(chart([1])).tags
    assert read(chart([1], [1])).tags.count("li") == 2


def test_steps_have_the_same_text_in_bounded_parts() -> None:
    drawn = chart([0] * 300 + [1] * 66)
    whole = "".join(draw(drawn))
    parts = list(in_steps(draw(drawn)))
    assert "".join(parts) == whole
    assert len(parts) >= 66 // PIECES_AT_ONCE
    assert "".join(in_steps(iter(()))) == ""


def test_largest_chart_is_drawn_in_steps_of_a_bounded_size() -> None:
    drawn = chart(*[[PICO_PER_USD + at for at in range(366)] for _ in range(MOST_SERIES)], names=["m"] * MOST_SERIES)
    assert max(part.count("<rect") for part in in_steps(draw(drawn))) <= PIECES_AT_ONCE * MOST_SERIES


def test_chart_of_more_parts_than_the_style_sheet_has_colours_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 7"):
        chart(*[[1] for _ in range(MOST_SERIES + 1)], names=["m"] * (MOST_SERIES + 1))
