import fcntl
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

import pytest
from support.books import NOW_US, StoppedClock, make_database

from softix_proxy.domain.core.clock import DAY_US, SECOND_US
from softix_proxy.domain.core.errors import ConflictError, FailureError
from softix_proxy.domain.instance.backups import LastBackup, Retention
from softix_proxy.operations.instance import backups
from softix_proxy.operations.instance.backups import BackupPlan
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage


@dataclass
class FakeTools:
    """Copies a text instead of a database."""

    content: bytes = b"books"
    damaged: bool = False
    examined: list[Path] = field(default_factory=list)

    def copy(self, target: Path) -> tuple[int, int]:
        target.write_bytes(self.content)
        return 27, NOW_US

    def require_whole(self, place: Path, shown: Path) -> int:
        self.examined.append(place)
        if self.damaged:
            raise FailureError("it is damaged", "take another backup")
        return 27

    def seal(self, source: BinaryIO, target: BinaryIO) -> None:
        target.write(source.read()[::-1])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "backups"
    made.mkdir()
    return made


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != ".softix-backup.lock")


def test_backup_in_a_folder_has_a_name_by_its_time_and_a_checksum(folder: Path, tmp_path: Path) -> None:
    made = backups.make(FakeTools(), StoppedClock(), BackupPlan(folder, tmp_path))
    assert files(folder) == ["softix-20270115T080000Z.backup", "softix-20270115T080000Z.backup.sha256"]
    assert made.path.read_bytes() == b"books" and made.sha256 == sha256(b"books").hexdigest()
    told = made.path.with_name(made.path.name + ".sha256").read_text()
    assert told == f"{made.sha256}  softix-20270115T080000Z.backup\n"
    assert backups.require_checksum(made.path) == made.sha256
    again = backups.make(FakeTools(), StoppedClock(), BackupPlan(folder, tmp_path))
    assert again.path.name == "softix-20270115T080000Z-2.backup" and len(files(folder)) == 4


def test_encrypted_backup_leaves_no_readable_copy_where_it_goes(folder: Path, tmp_path: Path) -> None:
    tools = FakeTools()
    made = backups.make(tools, StoppedClock(), BackupPlan(folder, tmp_path, seal=True))
    assert made.path.name.endswith(".backup.sealed") and made.path.read_bytes() == b"skoob"
    assert tools.examined[0].parent == tmp_path, "what can be read stays beside the database"
    assert len(files(folder)) == 2 and files(tmp_path) == ["backups"]


def test_backup_that_is_damaged_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    for seal in (False, True):
        with pytest.raises(FailureError, match="damaged"):
            backups.make(FakeTools(damaged=True), StoppedClock(), BackupPlan(folder, tmp_path, seal=seal))
    assert files(folder) == [] and files(tmp_path) == ["backups"]


def test_file_that_exists_is_not_overwritten(folder: Path, tmp_path: Path) -> None:
    target = folder / "mine"
    assert backups.make(FakeTools(), StoppedClock(), BackupPlan(target, tmp_path)).path == target
    with pytest.raises(ConflictError, match="exists"):
        backups.make(FakeTools(b"other"), StoppedClock(), BackupPlan(target, tmp_path))
    assert target.read_bytes() == b"books"


def test_rotation_removes_old_backups_with_their_checksums_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    clock = StoppedClock()
    (folder / "notes.txt").write_text("mine")
    for _ in range(4):
        made = backups.make(FakeTools(), clock, BackupPlan(folder, tmp_path, keep=Retention(days=2)))
        clock.us += DAY_US
    assert made.removed == ("softix-20270116T080000Z.backup",)
    assert files(folder) == [
        "notes.txt",
        *(f"softix-202701{day}T080000Z.backup{end}" for day in (17, 18) for end in ("", ".sha256")),
    ]


def test_second_process_in_the_same_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    backups.make(FakeTools(), StoppedClock(), BackupPlan(folder, tmp_path))
    other = os.open(folder / ".softix-backup.lock", os.O_RDWR)
    fcntl.flock(other, fcntl.LOCK_EX)
    with pytest.raises(ConflictError, match="another process"):
        backups.make(FakeTools(), StoppedClock(), BackupPlan(folder, tmp_path))
    os.close(other)
    assert len(files(folder)) == 2


def test_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(FailureError, match="cannot write") as raised:
        backups.make(FakeTools(), StoppedClock(), BackupPlan(tmp_path / "none" / "file", tmp_path))
    assert "folder that exists" in raised.value.remedy


def test_changed_backup_has_another_checksum(folder: Path, tmp_path: Path) -> None:
    made = backups.make(FakeTools(), StoppedClock(), BackupPlan(folder, tmp_path))
    made.path.write_bytes(b"b00ks")
    with pytest.raises(FailureError, match="it was changed"):
        backups.require_checksum(made.path)


def test_newest_backup_is_found_by_its_name(folder: Path) -> None:
    assert backups.newest(folder) is None
    for name in ("softix-20261201T040000Z.backup", "softix-20261202T040000Z.backup.sealed", "zzz.backup"):
        (folder / name).touch()
    found = backups.newest(folder)
    assert found is not None and found.name == "softix-20261202T040000Z.backup.sealed"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await make_database(tmp_path).open()
    yield opened
    await opened.close()


async def test_last_backup_is_kept_in_the_instance(database: Database, folder: Path, tmp_path: Path) -> None:
    storage = SqliteStorage(database)
    assert await backups.last(storage.reading()) is None
    made = backups.make(FakeTools(), StoppedClock(), BackupPlan(folder, tmp_path))
    await backups.record(storage, made)
    assert await backups.last(storage.reading()) == LastBackup(NOW_US, str(made.path), 5, made.sha256, False)


@pytest.mark.parametrize(("age_us", "due"), [(3599 * SECOND_US, False), (3600 * SECOND_US, True), (-1, True)])
def test_backup_is_due_after_its_pause_or_if_the_clock_was_ahead(age_us: int, due: bool) -> None:
    assert backups.is_due(LastBackup(NOW_US - age_us, "", 0, "", False), NOW_US, 1) is due
    assert backups.is_due(None, NOW_US, 1)
