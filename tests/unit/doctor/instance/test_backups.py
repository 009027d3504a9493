from dataclasses import replace
from pathlib import Path

import pytest
from support.books import NOW_US, StoppedClock

from softix_proxy.doctor.findings import Severity
from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.instance.backups import LastBackup
from softix_proxy.settings import Settings
from softix_proxy.storage.sqlite.core.engine import SqliteConnection

HOUR_US = 3600 * SECOND_US
FOLDER = Path("/backup")


def with_folder(made: Settings, folder: Path | None) -> Settings:
    return replace(made, backup=replace(made.backup, folder=folder))


async def test_instance_without_a_backup_is_told_how_to_make_one(made: Settings, look) -> None:
    [found] = await look("backup")
    assert found.severity is Severity.OK and "softix backup" in found.message
    [found] = await look("backup", settings=with_folder(made, FOLDER))
    assert found.severity is Severity.WARNING and "softix backup" in found.remedy


@pytest.mark.parametrize(
    ("hours", "folder", "severity", "age"),
    [
        (0.5, FOLDER, Severity.OK, "30 min ago"),
        (48, FOLDER, Severity.OK, "2 d ago"),
        (49, FOLDER, Severity.WARNING, "2 d ago"),
        (47, None, Severity.OK, "47 h ago"),
        (168, None, Severity.OK, "7 d ago"),
        (169, None, Severity.WARNING, "7 d ago"),
    ],
)
async def test_backup_that_is_late_is_a_warning_with_its_age(
    made: Settings,
    books: SqliteConnection,
    look,
    hours: float,
    folder: Path | None,
    severity: Severity,
    age: str,
) -> None:
    last = LastBackup(NOW_US - int(hours * HOUR_US), "/backup/x.backup", 1, "ab", False)
    books.execute("INSERT INTO instance VALUES ('last_backup', ?)", (last.text(),))
    [found] = await look("backup", settings=with_folder(made, folder), clock=StoppedClock())
    assert found.severity is severity and age in found.message and "/backup/x.backup" in found.message
    assert bool(found.remedy) is (severity is Severity.WARNING)
