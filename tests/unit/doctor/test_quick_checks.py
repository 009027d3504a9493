from pathlib import Path

from softix_proxy import settings
from softix_proxy.doctor import checkup, quick_checks
from softix_proxy.doctor.findings import Severity
from softix_proxy.domain.core.clock import SystemClock
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage


async def test_quick_checks_of_a_new_instance_find_nothing_and_touch_nothing_else(tmp_path: Path) -> None:
    database = Database(tmp_path / "softix.db", SystemClock())
    database.create()
    await database.open()
    found = await quick_checks.run(SqliteStorage(database), settings.load(None, tmp_path, {}))
    await database.close()
    assert {one.check for one in found} <= {"disk-space"} and all(one.severity is not Severity.ERROR for one in found)


def test_quick_checks_are_checks_of_the_doctor() -> None:
    assert set(quick_checks.QUICK) <= set(checkup.CHECKS)
