import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from support import newer
from support.books import NOW_US, StoppedClock, make_database

from softix_proxy.domain.core.clock import from_us
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.storage.sqlite.core import engine, migrations, slots, upgrade
from softix_proxy.storage.sqlite.core.database import Database

STAMP = from_us(NOW_US).strftime("%Y%m%dT%H%M%SZ")
BACKUP = f"softix.db-schema-{newer.NUMBER - 1:04d}-{STAMP}.backup"
HOLD = """
import sys
from pathlib import Path
from softix_proxy.storage.sqlite.core import slots
slot = slots.acquire(Path(sys.argv[1]))
print(slot.number, flush=True)
sys.stdin.read()
"""
Know = Callable[..., None]


@pytest.fixture
def database(tmp_path: Path) -> Database:
    folder = tmp_path / "softix"
    folder.mkdir()
    return make_database(folder)


@pytest.fixture
def know(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Know:
    """`know(script)`: from now on there is one more migration."""
    return lambda *script: newer.know(monkeypatch, newer.step(tmp_path, *script))


def backups(database: Database) -> list[str]:
    return sorted(path.name for path in database.path.parent.glob("*-schema-*"))


def test_upgrade_with_the_latest_schema_changes_nothing(database: Database) -> None:
    done = upgrade.migrate(database)
    assert (done.applied, done.backup, done.schema) == ((), None, migrations.latest())
    assert upgrade.plan(database).steps == () and upgrade.plan(database).obstacle is None
    assert backups(database) == []


def test_upgrade_with_a_pending_migration_makes_a_complete_backup_first(database: Database, know: Know) -> None:
    with_log = database.connect()  # so that rows are in the write-ahead log only
    with_log.execute("INSERT INTO instance VALUES ('last', x'01')")
    know()
    done = upgrade.migrate(database)
    with_log.close()
    assert done.applied == (newer.NAME,) and done.backup is not None
    assert (done.schema_before, done.schema) == (newer.NUMBER - 1, newer.NUMBER)
    assert done.backup == database.path.with_name(BACKUP)
    assert done.backup.stat().st_mode & 0o777 == 0o600
    assert backups(database) == [BACKUP], "nothing is left besides"
    kept = engine.connect(done.backup)
    assert migrations.current(kept) == newer.NUMBER - 1
    assert kept.execute("SELECT count(*) FROM instance WHERE name = 'last'").fetchone() == (1,)
    assert kept.execute("SELECT count(*) FROM transfers").fetchone() == (2,)
    assert kept.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    kept.close()
    assert database.version() == newer.NUMBER


def test_upgrade_with_a_backup_folder_overwrites_no_earlier_backup(
    database: Database, know: Know, tmp_path: Path
) -> None:
    know()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / BACKUP).write_text("an earlier one")
    done = upgrade.migrate(database, elsewhere)
    assert done.backup == elsewhere / BACKUP.replace(".backup", "-2.backup")
    assert (elsewhere / BACKUP).read_text() == "an earlier one" and backups(database) == []


def test_upgrade_after_an_interrupted_backup_makes_a_new_one(database: Database, know: Know) -> None:
    know()
    partial = database.path.with_name(f"softix.db-schema-{newer.NUMBER - 1:04d}.partial")
    partial.write_bytes(b"half" * 1000)
    assert upgrade.migrate(database).backup is not None
    assert backups(database) == [BACKUP]


def test_upgrade_with_a_failing_step_leaves_the_database_and_no_backup(database: Database, know: Know) -> None:
    """And no backup: a service that is started again and again would fill the disk."""
    know("CREATE TABLE good (x);\nCREATE TABLE bad (;\n")
    for _ in range(2):
        with pytest.raises(FailureError, match=f"{newer.NAME} failed") as failure:
            upgrade.migrate(database)
    assert "nothing was changed" in failure.value.remedy
    assert database.version() == newer.NUMBER - 1 and backups(database) == []


def test_upgrade_with_too_little_disk_space_is_refused_before_any_change(
    database: Database, know: Know, monkeypatch: pytest.MonkeyPatch
) -> None:
    know()
    size_bytes = database.path.stat().st_size
    needed_bytes = upgrade.plan(database).needed_bytes
    assert needed_bytes >= size_bytes
    monkeypatch.setattr(upgrade.shutil, "disk_usage", lambda _: SimpleNamespace(free=needed_bytes - 1))
    obstacle = upgrade.plan(database).obstacle
    assert obstacle is not None and "MiB" in obstacle[0] and "--backup-dir" in obstacle[1]
    with pytest.raises(FailureError, match="the backup needs"):
        upgrade.migrate(database)
    assert database.version() == newer.NUMBER - 1 and backups(database) == []
    monkeypatch.setattr(upgrade.shutil, "disk_usage", lambda _: SimpleNamespace(free=needed_bytes))
    assert upgrade.migrate(database).applied


def test_upgrade_while_a_process_serves_is_refused(database: Database, know: Know) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(database.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "0\n"
    know()
    try:
        assert upgrade.plan(database).slots == (0,)
        with pytest.raises(FailureError, match="softix serves") as failure:
            upgrade.migrate(database)
    finally:
        process.kill()
        process.communicate()
    assert failure.value.remedy == "stop softix serve, then try again"
    assert database.version() == newer.NUMBER - 1 and backups(database) == []
    assert upgrade.migrate(database).applied, "the lock died with the process"


def test_slots_while_shut_are_given_to_no_process(database: Database) -> None:
    with slots.shut(database.path) as living:
        assert living == ()
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(database.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)
        assert slots.living(database.path) == ()
    assert process.stdout is not None and process.stdout.readline() == "0\n"
    process.kill()
    process.communicate()


def test_upgrade_between_backup_and_last_step_locks_out_other_writers(database: Database, know: Know) -> None:
    """Between the backup and the last step nothing is written that the backup would not have."""
    know()
    seen = list[str]()
    copy = upgrade._back_up

    def backed_up(*arguments: object) -> Path:
        place = copy(*arguments)  # type: ignore[arg-type]
        other = engine.connect(database.path, busy_timeout_ms=0)
        with pytest.raises(engine.DatabaseError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        seen.append("locked")
        other.close()
        return place

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upgrade, "_back_up", backed_up)
        upgrade.migrate(database)
    assert seen == ["locked"]


def test_upgrade_with_missing_empty_or_newer_database_is_refused(database: Database, tmp_path: Path) -> None:
    with pytest.raises(FailureError, match="there is no database") as none:
        upgrade.migrate(Database(tmp_path / "none.db", StoppedClock()))
    assert none.value.remedy.startswith("run: softix init") and "backup" in none.value.remedy
    (tmp_path / "empty.db").touch()
    for verb in (upgrade.plan, upgrade.migrate):
        with pytest.raises(FailureError, match="is empty"):
            verb(Database(tmp_path / "empty.db", StoppedClock()))
    connection = database.connect()
    connection.execute(f"PRAGMA user_version = {newer.NUMBER}")
    connection.close()
    for verb in (upgrade.plan, upgrade.migrate):
        with pytest.raises(FailureError, match="knows up to"):
            verb(database)


def test_backup_put_back_after_an_upgrade_opens_with_the_older_version(database: Database, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        newer.know(patch, newer.step(tmp_path))
        backup = upgrade.migrate(database).backup
    assert backup is not None
    with pytest.raises(FailureError, match="knows up to"):
        database.require_latest()
    for end in ("-wal", "-shm"):
        database.path.with_name(f"softix.db{end}").unlink(missing_ok=True)
    shutil.copyfile(backup, database.path)
    database.require_latest()
