from pathlib import Path

import pytest
from support.books import NOW_US, make_database

from softix_proxy.domain.core.clock import DAY_US, EARLIEST_US, SECOND_US, SLACK_US
from softix_proxy.storage.sqlite.core.engine import SqliteConnection
from softix_proxy.storage.sqlite.core.numbering import LAST_FREE_BEFORE, LAST_POSTED, NEXT_NUMBER, is_far_ahead

YEAR_US = 365 * DAY_US


@pytest.fixture
def connection(tmp_path: Path) -> SqliteConnection:
    """With two postings of long ago."""
    return make_database(tmp_path).connect()


def posted_at(connection: SqliteConnection, *instants_us: int) -> None:
    for instant_us in instants_us:
        connection.execute("INSERT INTO transfers VALUES (?, -1, 1, 1, 'top-up', NULL, NULL)", (instant_us,))


def close(connection: SqliteConnection, to_us: int) -> None:
    connection.execute(
        "INSERT INTO periods (label, zone, from_us, to_us, closed_at_us, sums, rows_sha256)"
        " VALUES ('p', 'UTC', 0, ?, ?, '[]', x'00')",
        (to_us, to_us),
    )


def number(connection: SqliteConnection, now_us: int = NOW_US) -> int:
    return int(connection.execute(NEXT_NUMBER, (now_us,)).fetchone()[0])


def test_number_after_old_postings_is_the_time_of_the_clock(connection: SqliteConnection) -> None:
    assert number(connection) == NOW_US


def test_number_with_a_clock_slightly_behind_follows_the_last_posting(connection: SqliteConnection) -> None:
    posted_at(connection, NOW_US, NOW_US + 60 * SECOND_US)
    assert number(connection) == NOW_US + 60 * SECOND_US + 1


def test_number_after_postings_far_ahead_ignores_them(connection: SqliteConnection) -> None:
    posted_at(connection, NOW_US - 5, NOW_US + YEAR_US, NOW_US + YEAR_US + 1)
    assert number(connection) == NOW_US
    posted_at(connection, NOW_US)
    assert number(connection) == NOW_US + 1
    assert number(connection, NOW_US - 10 * SECOND_US) == NOW_US + 1, "a step of the clock changes nothing of this"


def test_number_after_postings_at_most_an_hour_apart_follows_the_last_of_them(connection: SqliteConnection) -> None:
    ahead = [NOW_US + step * SLACK_US for step in range(49)]
    posted_at(connection, *ahead, NOW_US + YEAR_US)
    assert number(connection, NOW_US + 3) == ahead[-1] + 1


def test_number_with_a_clock_before_the_earliest_time_follows_the_last_posting(connection: SqliteConnection) -> None:
    posted_at(connection, NOW_US)
    assert number(connection, 5) == number(connection, EARLIEST_US - 1) == NOW_US + 1


def test_number_when_the_only_posting_is_far_ahead_is_the_time_of_the_clock(connection: SqliteConnection) -> None:
    connection.execute("DROP TRIGGER transfers_no_delete")
    connection.execute("DELETE FROM transfers")
    posted_at(connection, NOW_US + YEAR_US)
    assert number(connection) == NOW_US


def test_number_without_postings_is_the_time_of_the_clock(connection: SqliteConnection) -> None:
    connection.execute("DROP TRIGGER transfers_no_delete")
    connection.execute("DELETE FROM transfers")
    assert number(connection) == NOW_US


def test_number_with_a_closed_period_is_not_before_its_end(connection: SqliteConnection) -> None:
    close(connection, NOW_US + DAY_US)
    assert number(connection) == NOW_US + DAY_US
    posted_at(connection, NOW_US + DAY_US, NOW_US + YEAR_US)
    assert number(connection) == NOW_US + DAY_US + 1
    assert connection.execute(LAST_POSTED).fetchone()[0] == NOW_US + YEAR_US


def test_posting_more_than_an_hour_ahead_is_far_ahead() -> None:
    assert not is_far_ahead(NOW_US + SLACK_US, NOW_US)
    assert is_far_ahead(NOW_US + SLACK_US + 1, NOW_US)


def test_last_free_number_follows_the_newest_posting_or_precedes_the_end_of_the_day(
    connection: SqliteConnection,
) -> None:
    def last(before_us: int) -> int:
        return int(connection.execute(LAST_FREE_BEFORE, (before_us,)).fetchone()[0])

    posted_at(connection, NOW_US, NOW_US + 9, NOW_US + 10)
    assert last(NOW_US + 5) == NOW_US + 1
    assert last(NOW_US + 20) == NOW_US + 11
    assert last(NOW_US + 10) == NOW_US + 8, "its last moment is taken, and the next day is another"
