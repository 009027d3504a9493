from __future__ import annotations

from pathlib import Path

import pytest
from support import newer

from softix_proxy import assembly
from softix_proxy.domain.core.errors import BadInputError, FailureError
from softix_proxy.domain.instance.backups import Retention
from softix_proxy.settings import Settings


async def test_backup_and_restore_are_of_one_instance(ready: Settings, tmp_path: Path) -> None:
    async with assembly.open_instance(ready) as instance:
        made = assembly.back_up(instance, tmp_path, encrypt=True, keep=Retention(days=1))
        drilled = await assembly.drill(instance, made.path)
    assert drilled.is_well and drilled.restored == drilled.live
    done = await assembly.restore(ready, made.path, ())
    assert (done.database, done.backup, done.schema) == (ready.paths.database, made.path, made.schema)
    async with assembly.open_instance(ready) as instance:
        await instance.vault()


async def test_restore_without_the_file_or_with_a_strange_number_changes_nothing(
    ready: Settings, tmp_path: Path
) -> None:
    before = ready.paths.database.read_bytes()
    with pytest.raises(FailureError, match="cannot use"):
        await assembly.restore(ready, tmp_path / "none", ())
    with pytest.raises(BadInputError):
        await assembly.restore(ready, tmp_path / "none", ("forty",))
    assert ready.paths.database.read_bytes() == before


async def test_restore_of_an_older_schema_migrates_it(
    ready: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with assembly.open_instance(ready) as instance:
        made = assembly.back_up(instance, tmp_path, encrypt=False, keep=None)
    newer.know(monkeypatch, newer.step(tmp_path))
    done = await assembly.restore(ready, made.path, ())
    assert done.migrated == (newer.NAME,) and done.schema == newer.NUMBER
