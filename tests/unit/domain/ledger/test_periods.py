from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softix_proxy.domain.core.clock import DAY_US, format_instant, parse_zone
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.ledger.periods import ClosedPeriod, PeriodSum, gaps, labelled_span

HOUR_US = DAY_US // 24


@pytest.mark.parametrize(
    ("label", "zone", "from_", "to"),
    [
        ("2026-10", "UTC", "2026-10-01T00:00", "2026-11-01T00:00"),
        ("2026-12", "UTC", "2026-12-01T00:00", "2027-01-01T00:00"),
        ("2026-Q4", "UTC", "2026-10-01T00:00", "2027-01-01T00:00"),
        ("2026", "UTC", "2026-01-01T00:00", "2027-01-01T00:00"),
        ("2028-02-29", "UTC", "2028-02-29T00:00", "2028-03-01T00:00"),
        ("2026-10", "Europe/Berlin", "2026-09-30T22:00", "2026-10-31T23:00"),
        ("2026-10", "Asia/Kolkata", "2026-09-30T18:30", "2026-10-31T18:30"),
        ("2026-03-29", "Europe/Berlin", "2026-03-28T23:00", "2026-03-29T22:00"),
    ],
)
def test_labelled_span_begins_and_ends_at_local_midnight(label: str, zone: str, from_: str, to: str) -> None:
    span = labelled_span(label, parse_zone(zone))
    assert [str(format_instant(end))[:16] for end in span] == [from_, to]


@pytest.mark.parametrize(
    "label", ["", "October", "2026-13", "2026-Q5", "2026-02-30", "26-10", "2026-10-", "0000", "9999", "２０２６"]
)
def test_labelled_span_with_bad_label_is_refused(label: str) -> None:
    with pytest.raises(BadInputError, match="not a period"):
        labelled_span(label, parse_zone("UTC"))


@given(st.integers(1971, 2200), st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia"]))
def test_months_of_a_year_follow_each_other_without_a_gap(year: int, zone: str) -> None:
    months = [labelled_span(f"{year}-{month:02}", parse_zone(zone)) for month in range(1, 13)]
    assert all(before.to_us == after.from_us for before, after in pairwise(months))
    assert Span(months[0].from_us, months[-1].to_us) == labelled_span(str(year), parse_zone(zone))


def test_gaps_between_spans_are_the_times_that_no_span_covers() -> None:
    assert list(gaps([], 5)) == []
    assert list(gaps([Span(20, 30), Span(5, 10), Span(10, 15)], 7)) == [Span(15, 20)]
    assert list(gaps([Span(20, 30)], 7)) == [Span(7, 20)]
    assert list(gaps([Span(20, 30)], 25)) == []


def test_gaps_of_overlapping_spans_do_not_include_the_overlap() -> None:
    assert list(gaps([Span(0, 30), Span(10, 20), Span(40, 50)], 0)) == [Span(30, 40)]
    assert list(gaps([Span(7, 10)], 7)) == []


def test_quarters_of_a_year_follow_each_other_without_a_gap() -> None:
    zone = parse_zone("UTC")
    quarters = [labelled_span(f"2026-Q{number}", zone) for number in (1, 2, 3, 4)]
    starts = [labelled_span(f"2026-{month}", zone).from_us for month in ("01", "04", "07", "10")]
    assert [quarter.from_us for quarter in quarters] == starts
    assert [quarter.to_us for quarter in quarters] == [*starts[1:], labelled_span("2027", zone).from_us]


def test_closed_period_adds_up_the_sums_of_its_users() -> None:
    sums = (
        PeriodSum(1, "usr_ada", "ada", 3, 20, 300, 4000),
        PeriodSum(2, "usr_bob", "bob", 5, 60, 700, 8000),
    )
    period = ClosedPeriod(1, "2026-10", "UTC", Span(0, 1), 2, sums, b"")
    assert (period.rows, period.cost_pico, period.charge_pico, period.paid_in_pico) == (8, 80, 1000, 12_000)
    assert {one.currency for one in sums} == {"USD"}
