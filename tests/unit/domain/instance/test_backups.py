from datetime import UTC, datetime, timedelta

import pytest

from softix_proxy.domain.instance.backups import BookCounts, Drilled, LastBackup, Retention, file_name, time_of

MONDAY = datetime(2026, 11, 30, 4, tzinfo=UTC)
DAY = timedelta(days=1)


def name(at: datetime, *, sealed: bool = False, number: int = 1) -> str:
    return file_name(int(at.timestamp()) * 1_000_000, sealed=sealed, number=number)


def test_name_of_a_backup_tells_its_time() -> None:
    assert name(MONDAY) == "softix-20261130T040000Z.backup"
    assert name(MONDAY, sealed=True, number=2) == "softix-20261130T040000Z-2.backup.sealed"
    for made in (name(MONDAY), name(MONDAY, sealed=True), name(MONDAY, number=12)):
        assert time_of(made) == MONDAY


@pytest.mark.parametrize(
    "other",
    ["softix.db", "softix-20261130T040000Z.backup.sha256", "softix-20261399T040000Z.backup", ".softix-backup.lock"],
)
def test_other_file_is_no_backup(other: str) -> None:
    assert time_of(other) is None
    assert Retention(days=1).superfluous([other]) == []


@pytest.mark.parametrize("text", ["", "7", "7d,", "7d,3d", "0d", "7y", "-1d", "7d;4w", "99999d"])
def test_text_of_another_form_is_no_retention(text: str) -> None:
    with pytest.raises(ValueError):
        Retention.parse(text)


def test_retention_is_read_from_its_text() -> None:
    assert Retention.parse("7d,4w,12m") == Retention(7, 4, 12)
    assert Retention.parse("2m") == Retention(0, 0, 2)
    assert Retention.parse("3w, 1d") == Retention(1, 3, 0)


def test_rotation_keeps_the_newest_of_each_day_week_and_month() -> None:
    """Two backups a day for 400 days: 7 days, the 3 weeks before, and the 10 months before those remain."""
    made = [MONDAY - DAY * day - timedelta(hours=hours) for day in range(400) for hours in (0, 2)]
    names = [name(at) for at in made]
    removed = Retention.parse("7d,4w,12m").superfluous(names)
    kept = sorted(set(names) - set(removed), reverse=True)
    days = [MONDAY - DAY * day for day in range(7)]
    weeks = [MONDAY, *(datetime(2026, 11, 29 - 7 * week, 4, tzinfo=UTC) for week in range(3))]
    ends = [datetime(2026, month, 1, 4, tzinfo=UTC) - DAY for month in range(11, 0, -1)]
    assert kept == sorted({name(at) for at in (*days, *weeks, MONDAY, *ends)}, reverse=True)
    assert removed == sorted(removed), "the oldest first"
    assert Retention.parse("7d,4w,12m").superfluous(kept) == [], "a second rotation removes nothing"


def test_backup_of_the_same_second_with_the_higher_number_is_the_newer_one() -> None:
    names = [name(MONDAY, number=number) for number in (10, 1, 2, 9)]
    assert Retention(days=1).superfluous(names) == [name(MONDAY, number=number) for number in (1, 2, 9)]


def test_rotation_never_removes_the_newest_backup() -> None:
    assert Retention(months=1).superfluous([name(MONDAY)]) == []
    assert Retention(months=1).superfluous([name(MONDAY), name(MONDAY - DAY)]) == [name(MONDAY - DAY)]


def test_last_backup_is_read_as_it_was_kept() -> None:
    last = LastBackup(5, "/backup/x", 7, "ab", True)
    assert LastBackup.of(last.text()) == last
    assert LastBackup.of(None) is None


def drilled(restored: BookCounts, live: BookCounts, *violations: str) -> Drilled:
    return Drilled(None, 1, 1, 1, 1, restored, live, live.beyond(restored), violations)


@pytest.mark.parametrize(
    ("live", "well"),
    [
        (BookCounts(3, 2, 10, 9), True),
        (BookCounts(4, 2, 12, 9), True),  # a correction was posted in the past since
        (BookCounts(3, 2, 11, 9), False),  # the same rows, and another amount
        (BookCounts(2, 2, 10, 9), False),  # the backup has a row that the books have not
        (BookCounts(3, 1, 10, 9), False),
    ],
)
def test_drill_is_well_only_if_the_books_have_what_the_backup_has(live: BookCounts, well: bool) -> None:
    restored = BookCounts(3, 2, 10, 9)
    assert drilled(restored, live).is_well is well
    assert not drilled(restored, live, "a rule is broken").is_well
