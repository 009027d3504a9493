from dataclasses import replace

import pytest
from support.books import StoppedClock

from softix_proxy.doctor.findings import Severity
from softix_proxy.domain.core.clock import SECOND_US, parse_instant
from softix_proxy.settings import Settings

NOON_US = parse_instant("2027-03-01T12:00:00Z")


def post(books, at_us: int) -> None:
    books.execute(
        "INSERT INTO transfers (id, from_account, to_account, amount_pico, kind) VALUES (?, -1, -3, 1, 'adjustment')",
        (at_us,),
    )


@pytest.mark.parametrize("instant", ["1970-01-01", "2024-12-31T23:59:59Z", "2100-01-01"])
async def test_clock_check_with_an_impossible_year_reports_an_error(made: Settings, look, instant: str) -> None:
    [found] = await look("clock", clock=StoppedClock(parse_instant(instant)))
    assert (found.severity, found.remedy) == (Severity.ERROR, "set the clock, for example: timedatectl set-ntp true")


@pytest.mark.parametrize(
    ("behind_us", "severity"), [(0, Severity.OK), (4 * SECOND_US, Severity.OK), (6 * SECOND_US, Severity.ERROR)]
)
async def test_clock_check_behind_the_books_reports_an_error(
    made: Settings, look, books, behind_us: int, severity: Severity
) -> None:
    post(books, NOON_US)
    [found] = await look("clock", clock=StoppedClock(NOON_US - behind_us))
    assert found.severity is severity
    assert ("the books reach to 2027-03-01T12:00:00.000000Z" in found.message) == (severity is Severity.ERROR)


async def test_clock_check_with_postings_far_ahead_reports_an_error_until_they_are_redated(
    made: Settings, look, books
) -> None:
    post(books, NOON_US)
    books.execute(
        "INSERT INTO users (id, public_id, name, email, role, created_at_us) VALUES"
        " (1, 'usr_ada', 'ada', 'ada@example.org', 'user', 1)"
    )
    books.execute("INSERT INTO wallets (user_id) VALUES (1)")
    books.execute("INSERT INTO transfers VALUES (?, -1, 1, 5, 'top-up', NULL, NULL)", (NOON_US + 1,))
    clock = StoppedClock(NOON_US - 3601 * SECOND_US)
    [found] = await look("clock", clock=clock)
    assert found.severity is Severity.ERROR and "softix ledger redate --dry-run" in found.remedy
    books.execute(
        "INSERT INTO transfers VALUES (?, -1, 1, 5, 'top-up', ?, NULL)", (9, f"redated: booked {NOON_US + 1}")
    )
    [found] = await look("clock", clock=clock)
    assert found.severity is Severity.OK


async def test_clock_check_with_a_zone_that_is_not_in_force_warns(made: Settings, look) -> None:
    changed = replace(made, billing=replace(made.billing, zone="Europe/Berlin"))
    found = await look("clock", settings=changed)
    assert [one.severity for one in found] == [Severity.OK, Severity.WARNING]
    assert "by UTC still, and billing.zone says Europe/Berlin" in found[1].message
