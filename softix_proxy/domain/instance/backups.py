"""The backups of an instance: their names, how long they are kept, and what is known of the last one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from softix_proxy.domain.core.clock import from_us

LAST_BACKUP = "last_backup"
"""The name under which the instance keeps what is known of the last backup."""
CHECKSUM_SUFFIX = ".sha256"
_PLAIN, _SEALED = ".backup", ".backup.sealed"
_NAME = re.compile(r"softix-(\d{8}T\d{6}Z)(-\d+)?\.backup(\.sealed)?")
_STAMP = "%Y%m%dT%H%M%SZ"
_KEPT = re.compile(r"(\d{1,4})([dwm])")


def file_name(at_us: int, *, sealed: bool, number: int = 1) -> str:
    """Returns the name of a backup in a folder. `number` tells those of one second apart."""
    stem = f"softix-{from_us(at_us).strftime(_STAMP)}"
    return f"{stem}{'' if number == 1 else f'-{number}'}{_SEALED if sealed else _PLAIN}"


def time_of(name: str) -> datetime | None:
    """Returns when the backup of this name was made, or None if this is no name of a backup."""
    found = _NAME.fullmatch(name)
    try:
        return datetime.strptime(found[1], _STAMP).replace(tzinfo=UTC) if found else None
    except ValueError:
        return None


def newest_first(names: Iterable[str]) -> list[tuple[datetime, str]]:
    """Returns the backups among these files with their times. Of one second, the higher number is newer."""
    timed = [(at, name) for name in names if (at := time_of(name)) is not None]
    return sorted(timed, key=lambda one: (one[0], _number_of(one[1])), reverse=True)


def _number_of(name: str) -> int:
    found = _NAME.fullmatch(name)
    return int(found[2][1:]) if found and found[2] else 1


class Retention(NamedTuple):
    """How many days, weeks and months keep a backup each: the newest of the day, of the week, of the month."""

    days: int = 0
    weeks: int = 0
    months: int = 0

    @classmethod
    def parse(cls, text: str) -> Retention:
        """Reads a text such as 7d,4w,12m. Raises ValueError if it is none, or would keep nothing."""
        counts: dict[str, int] = {}
        for part in text.split(","):
            found = _KEPT.fullmatch(part.strip())
            if found is None or found[2] in counts:
                raise ValueError
            counts[found[2]] = int(found[1])
        made = cls(counts.get("d", 0), counts.get("w", 0), counts.get("m", 0))
        if not any(made):
            raise ValueError
        return made

    def superfluous(self, names: Iterable[str]) -> list[str]:
        """Returns the backups among these files that nothing keeps, the oldest first.

        It never names the newest backup, nor a file that has not the name of a backup.
        """
        timed = newest_first(names)
        kept = {name for _, name in timed[:1]}
        for count, period in ((self.days, _day), (self.weeks, _week), (self.months, _month)):
            kept |= _newest_of_each(timed, period, count)
        return [name for _, name in reversed(timed) if name not in kept]


def _day(at: datetime) -> object:
    return at.date()


def _week(at: datetime) -> object:
    return at.isocalendar()[:2]


def _month(at: datetime) -> object:
    return at.year, at.month


def _newest_of_each(timed: list[tuple[datetime, str]], period: Callable[[datetime], object], count: int) -> set[str]:
    """Returns the newest backup of each of the last `count` periods that have one."""
    newest: dict[object, str] = {}
    for at, name in timed:
        newest.setdefault(period(at), name)
    return set(list(newest.values())[:count])


@dataclass(frozen=True, slots=True)
class LastBackup:
    """What the instance knows of its last backup."""

    at_us: int
    """The moment whose rows it has."""
    path: str
    size_bytes: int
    sha256: str
    sealed: bool

    def text(self) -> bytes:
        return json.dumps(asdict(self), sort_keys=True).encode()

    @classmethod
    def of(cls, text: bytes | None) -> LastBackup | None:
        return None if text is None else cls(**json.loads(text))


@dataclass(frozen=True, slots=True)
class MadeBackup:
    """A backup that was just made."""

    path: Path
    at_us: int
    size_bytes: int
    sha256: str
    schema: int
    sealed: bool
    took_ms: int
    removed: tuple[str, ...] = ()
    """The older backups that the rotation removed."""

    def last(self) -> LastBackup:
        return LastBackup(self.at_us, str(self.path), self.size_bytes, self.sha256, self.sealed)


@dataclass(slots=True)
class BackupTally:
    """What a daemon knows of backups. It is kept in memory, for the metrics."""

    last_at_us: int | None = None
    """The moment of the last backup, whoever made it. None if there is none."""
    made: int = 0
    failures: int = 0


class GivenOut(NamedTuple):
    """The numbers that an instance gave out, which must not be given out again."""

    bills: tuple[tuple[str, int], ...] = ()
    """Each series with its last number."""
    manifests: int = 0
    """The number of the last manifest."""


@dataclass(frozen=True, slots=True)
class BookCounts:
    """How much the books of one database have, to compare them with those of another."""

    usage_rows: int
    transfers: int
    charge_pico: int
    last_posted_us: int
    """The number of the newest row, which is when it was posted. 0 if there is none."""

    def beyond(self, other: BookCounts) -> BookCounts:
        """Returns how much these books have more than others."""
        return BookCounts(
            self.usage_rows - other.usage_rows,
            self.transfers - other.transfers,
            self.charge_pico - other.charge_pico,
            self.last_posted_us,
        )


@dataclass(frozen=True, slots=True)
class Restored:
    """The result of a restore."""

    database: Path
    backup: Path
    schema: int
    migrated: tuple[str, ...]
    counts: BookCounts
    kept: Path | None
    """The folder with the files that were there before. None if there were none."""
    lost: BookCounts | None
    """How much the database before had more. None if there was none, or it cannot be read."""
    given_out: GivenOut
    """The numbers that will not be given out again."""


@dataclass(frozen=True, slots=True)
class Drilled:
    """The result of a drill."""

    backup: Path | None
    """The backup that was tried. None if it was made for the drill, and removed."""
    at_us: int
    size_bytes: int
    backup_ms: int
    restore_ms: int
    restored: BookCounts
    live: BookCounts
    """How much the running database has up to the newest row of the backup."""
    lost: BookCounts
    """How much the running database has more, which a restore of this backup would lose."""
    violations: tuple[str, ...]

    @property
    def is_well(self) -> bool:
        """Whether the restored books agree in themselves, and with the running ones up to their end.

        The running ones may have more there: a correction may be posted in the past.
        """
        more = self.live.beyond(self.restored)
        if self.violations or more.usage_rows < 0 or more.transfers < 0:
            return False
        return bool(more.usage_rows or more.transfers) or self.restored == self.live
