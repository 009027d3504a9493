from softix_proxy.domain.core.money import PICO_PER_USD
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.metering.usage import UsageTotal
from softix_proxy.exports.core.texts import texts
from softix_proxy.operations.metering.organisation_usage import DayPeriod
from softix_proxy.web.portal.product.day_chart import ChartPart, drawn, spending_chart

FIRST = 20_000
PERIOD = DayPeriod("UTC", FIRST, FIRST + 3, Span(0, 1))


def total(day: str, charge_pico: int, requests: int = 1) -> UsageTotal:
    return UsageTotal(day, day, requests, 0, 0, 0, 0, charge_pico)


DAYS = [total("2024-10-04", 5 * PICO_PER_USD), total("2024-10-06", 2 * PICO_PER_USD)]


def test_parts_and_the_rest_add_up_to_the_day() -> None:
    parts = [ChartPart("lab/llama", {FIRST: total("", 3 * PICO_PER_USD)})]
    chart = spending_chart(PERIOD, DAYS, parts, texts())
    assert chart is not None
    assert [(series.name, series.amounts) for series in chart.series] == [
        ("lab/llama", [3 * PICO_PER_USD, 0, 0]),
        ("Others", [2 * PICO_PER_USD, 0, 2 * PICO_PER_USD]),
    ]
    assert "$7.00" in chart.description and "$5.00" in chart.description and "2024-10-04" in chart.description


def test_chart_without_parts_has_one_series() -> None:
    chart = spending_chart(PERIOD, DAYS, (), texts())
    assert chart is not None and [series.name for series in chart.series] == ["All"]


def test_free_requests_are_counted() -> None:
    chart = spending_chart(PERIOD, [total("2024-10-05", 0, 4)], (), texts())
    assert chart is not None
    assert (chart.title, chart.series[0].amounts, chart.shown(4)) == ("Requests by day", [0, 4, 0], "4")


def test_correction_that_took_money_back_is_drawn_as_nothing() -> None:
    chart = spending_chart(PERIOD, [*DAYS, total("2024-10-05", -PICO_PER_USD)], (), texts())
    assert chart is not None and chart.series[0].amounts[1] == 0


async def test_nothing_used_has_no_chart() -> None:
    assert spending_chart(PERIOD, (), (), texts()) is None
    assert await drawn(None) is None


async def test_drawn_chart_is_markup() -> None:
    markup = await drawn(spending_chart(PERIOD, DAYS, (), texts()))
    assert markup is not None and markup.__html__().count("<rect") == 2
