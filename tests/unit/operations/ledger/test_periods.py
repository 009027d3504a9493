from collections.abc import Callable
from typing import Any

import pytest
from support.books import NOW_US, StoppedClock
from support.listening import heard, listen

from softix_proxy.domain.access.users import User
from softix_proxy.domain.core.clock import DAY_US, format_instant, parse_instant
from softix_proxy.domain.core.errors import BadInputError, ConflictError, NotFoundError
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.ledger.periods import PeriodContents
from softix_proxy.domain.notices.webhook_events import EventKind
from softix_proxy.operations.ledger import balance, ledger, periods
from softix_proxy.operations.ledger.periods import asked
from softix_proxy.storage.sqlite.ledger.periods import SqlitePeriodStore
from softix_proxy.storage.sqlite.unit import SqliteStorage

MONTH = str(format_instant(NOW_US))[:7]
MONTH_START_US = parse_instant(f"{MONTH}-01")
NEXT_US = MONTH_START_US + 31 * DAY_US


@pytest.fixture
async def posted(books: SqliteStorage, ada: User, stopped_clock: StoppedClock) -> SqliteStorage:
    """A top-up this month; by now the month is over."""
    await balance.add(books, "ada@example.org", 500)
    stopped_clock.us = NEXT_US + 5 * DAY_US
    return books


def test_period_arguments_are_read_as_label_and_span() -> None:
    assert asked("2026-10", None, None, "UTC").span == Span(parse_instant("2026-10-01"), parse_instant("2026-11-01"))
    named = asked("first", "2026-10-01", "2026-10-05T12:00:00Z", "Europe/Berlin")
    assert (named.label, named.zone, named.span.to_us) == ("first", "Europe/Berlin", parse_instant("2026-10-05T12:00"))
    assert named.span.from_us == parse_instant("2026-09-30T22:00")
    assert asked(None, "2026-10-01", "2026-10-05", "UTC").label == "2026-10-01--2026-10-05"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((None, None, None, "UTC"), "which period"),
        (("2026-1", None, None, "UTC"), "not a period"),
        (("2026-10", None, None, "Mars/Base"), "not a time zone"),
        (("2026-10", None, None, "../passwd"), "not a time zone"),
        ((None, "2026-10-01", None, "UTC"), "two ends"),
        ((None, "2026-10-02", "2026-10-01", "UTC"), "empty"),
        ((None, "soon", "2026-10-01", "UTC"), "not a date"),
        (("a\nb", "2026-10-01", "2026-10-02", "UTC"), "line of at most"),
    ],
)
def test_period_arguments_that_are_bad_are_refused(arguments: Any, message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        asked(*arguments)


async def test_period_after_closing_stays_unchanged(posted: SqliteStorage) -> None:
    closed = await periods.close(posted, asked(MONTH, None, None, "UTC"))
    assert [(one.user_name, one.paid_in_pico, one.rows) for one in closed.sums] == [("ada", 500, 0)]
    assert await periods.list_all(posted) == [closed] == [await periods.find(posted.reading(), MONTH)]
    assert await periods.uncovered(posted) == ()
    await balance.add(posted, "ada@example.org", 7)
    verdict = await ledger.verify(posted)
    assert (verdict.periods, verdict.violations) == (1, ())


async def test_period_close_of_an_unfinished_or_overlapping_period_is_refused(
    posted: SqliteStorage, stopped_clock: StoppedClock
) -> None:
    months = [str(format_instant(us))[:7] for us in (MONTH_START_US - 1, NEXT_US)]
    with pytest.raises(ConflictError, match="nothing was posted before the end"):
        await periods.close(posted, asked(months[0], None, None, "UTC"))
    with pytest.raises(ConflictError, match="is not over"):
        await periods.close(posted, asked(months[1], None, None, "UTC"))
    await periods.close(posted, asked(MONTH, None, None, "UTC"))
    with pytest.raises(ConflictError, match=f"{MONTH} was closed at"):
        await periods.close(posted, asked(MONTH, None, None, "UTC"))
    with pytest.raises(ConflictError, match=f"overlaps {MONTH}"):
        await periods.close(posted, asked(MONTH, None, None, "Europe/Berlin"))
    with pytest.raises(NotFoundError):
        await periods.find(posted.reading(), months[0])
    assert len(await periods.list_all(posted)) == 1


async def test_uncovered_time_before_a_closed_period_is_reported(posted: SqliteStorage) -> None:
    await periods.close(posted, asked(None, format_instant(NEXT_US), format_instant(NEXT_US + DAY_US), "UTC"))
    assert await periods.uncovered(posted) == (Span(NOW_US, NEXT_US),)
    await periods.close(posted, asked(MONTH, None, None, "UTC"))
    assert await periods.uncovered(posted) == ()


async def test_uncovered_time_without_postings_is_empty(books: SqliteStorage) -> None:
    assert await periods.uncovered(books) == ()


async def test_period_close_during_a_posting_counts_it(
    posted: SqliteStorage, stopped_clock: StoppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock was set back for a moment, so that a top-up came into the month that is over."""
    counted: list[PeriodContents] = []
    original: Callable[..., Any] = SqlitePeriodStore.contents

    async def contents(self: SqlitePeriodStore, span: Span) -> PeriodContents:
        counted.append(await original(self, span))
        if len(counted) == 1:
            stopped_clock.us = NOW_US + 1
            await balance.add(posted, "ada@example.org", 20)
            stopped_clock.us = NEXT_US + DAY_US
        return counted[-1]

    monkeypatch.setattr(SqlitePeriodStore, "contents", contents)
    closed = await periods.close(posted, asked(MONTH, None, None, "UTC"))
    assert len(counted) == 2 and closed.paid_in_pico == 520


@pytest.mark.parametrize(
    ("statement", "detail"),
    [
        ("UPDATE transfers SET note = 'x'", ["the hash of its rows is another"]),
        ("UPDATE transfers SET amount_pico = 501", ["the hash of its rows is another", "the sums of usr_ are others"]),
        ("DELETE FROM transfers", ["the hash of its rows is another", "the sums of usr_ are others"]),
        ("UPDATE periods SET sums = '[]'", ["the sums of usr_ are others"]),
    ],
)
async def test_period_with_changed_rows_after_closing_is_found_by_verify(
    posted: SqliteStorage, ada: User, statement: str, detail: list[str]
) -> None:
    await periods.close(posted, asked(MONTH, None, None, "UTC"))
    connection = posted._database.connect()
    for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {trigger}")
    connection.execute(statement)
    connection.close()
    found = [one for one in (await ledger.verify(posted)).violations if one.rule == periods.KEPT]
    assert [one.detail for one in found] == [text.replace("usr_", ada.public_id) for text in detail]
    assert {one.subject for one in found} == {MONTH}


async def test_endpoint_is_told_of_a_closed_period(posted: SqliteStorage) -> None:
    await listen(posted)
    await periods.close(posted, asked(MONTH, None, None, "UTC"))
    with pytest.raises(ConflictError):
        await periods.close(posted, asked(MONTH, None, None, "UTC"))
    told = {"period": MONTH, "from": format_instant(MONTH_START_US), "to": format_instant(NEXT_US), "zone": "UTC"}
    assert await heard(posted) == [(EventKind.PERIOD_CLOSED, {**told, "rows": 0})]
