"""Backups of a database in use, restored elsewhere.

Nothing that was acknowledged is missing, and no number is given out twice.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.billing import document
from support.daemon import Finished, Instance, Prepared, prepared
from support.provider import FakeProvider
from support.wire import CHAT, post

from softix_proxy.domain.billing.bill import StoredDocument
from softix_proxy.domain.core.spans import Span

_SERIES = "INV-2026-"
_CLIENTS = 6
_ENOUGH = 40
"""The requests that are answered before the backup begins, and again before the load ends."""


@pytest.fixture
async def client(tmp_path: Path, fake_provider: FakeProvider) -> AsyncIterator[Prepared]:
    made = await prepared(_folder(tmp_path / "home"), fake_provider.base_url)
    yield made
    await made.instance.kill()


def _folder(place: Path) -> Path:
    place.mkdir()
    return place


class Load:
    """Clients that ask without a pause, and the ids of the requests that were answered."""

    def __init__(self, client: Prepared, session: aiohttp.ClientSession) -> None:
        self.answered: list[str] = []
        self._client, self._session = client, session
        self._stopped = False

    async def _ask(self) -> None:
        while not self._stopped:
            answer = await post(self._session, self._client.url, CHAT, self._client.headers)
            assert answer.status == 200
            self.answered.append(answer.headers["x-softix-request-id"])

    async def until(self, count: int) -> None:
        async with asyncio.timeout(60):
            while len(self.answered) < count:
                await asyncio.sleep(0.005)

    async def __aenter__(self) -> Load:
        self._tasks = [asyncio.create_task(self._ask()) for _ in range(_CLIENTS)]
        return self

    async def __aexit__(self, *raised: object) -> None:
        self._stopped = True
        await asyncio.gather(*self._tasks)


def elsewhere(client: Prepared, folder: Path) -> Instance:
    """A machine that has the master key and nothing else."""
    other = Instance(_folder(folder))
    _folder(other.data_dir)
    shutil.copy(client.instance.data_dir / "master.key", other.data_dir / "master.key")
    return other


async def in_thread(client: Instance, *arguments: str) -> Finished:
    return await asyncio.to_thread(client.run, *arguments)


@pytest.mark.parametrize("kind", ["--encrypt", "--plain"])
async def test_backup_under_load_has_every_row_that_was_acknowledged_before_it(
    client: Prepared, session: aiohttp.ClientSession, tmp_path: Path, kind: str
) -> None:
    folder = _folder(tmp_path / "backups")
    async with client.instance.serving(), Load(client, session) as load:
        await load.until(_ENOUGH)
        acknowledged = set(load.answered)
        done = await in_thread(client.instance, "--json", "backup", str(folder), kind)
        assert done.code == 0, done.stderr
        await load.until(len(load.answered) + _ENOUGH)
    told = json.loads(done.stdout)
    assert stat.S_IMODE(Path(told["path"]).stat().st_mode) == 0o600
    other = elsewhere(client, tmp_path / "other")
    restored = other.cli("restore", told["path"])
    assert restored["kept"] is None and restored["usage_rows"] >= len(acknowledged)
    rows = other.cli("usage", "list", "--limit", "100000")
    assert acknowledged <= {row["request_id"] for row in rows}
    assert other.cli("ledger", "verify")["ok"] is True and client.verify()["ok"] is True
    if kind == "--encrypt":
        assert b"SQLite format" not in Path(told["path"]).read_bytes()


async def test_drill_during_a_load_counts_what_a_restore_would_lose(
    client: Prepared, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    folder = _folder(tmp_path / "backups")
    async with client.instance.serving():
        async with Load(client, session) as load:
            await load.until(_ENOUGH)
        backup = client.instance.cli("backup", str(folder))
        before = len(load.answered)
        async with Load(client, session) as load:
            await load.until(_ENOUGH)
        told = client.instance.cli("drill", backup["path"])
        assert told["ok"] is True and told["violations"] == []
        assert (told["restored_usage_rows"], told["lost_usage_rows"]) == (before, len(load.answered))
        fresh = client.instance.cli("drill")
        assert fresh["ok"] is True and fresh["backup"] is None and fresh["lost_usage_rows"] == 0
    assert sorted(path.name for path in client.instance.data_dir.iterdir() if "drill" in path.name) == []


async def test_restore_over_a_running_daemon_is_refused_and_changes_nothing(
    client: Prepared, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    backup = client.instance.cli("backup", str(_folder(tmp_path / "backups")))
    async with client.instance.serving():
        refused = client.instance.run("restore", backup["path"], "--yes")
        assert refused.code == 1 and "stop softix serve" in refused.stderr, refused
        assert (await post(session, client.url, CHAT, client.headers)).status == 200
    assert len(client.usage()) == 1


async def test_restore_keeps_the_files_before_and_says_what_is_lost(
    client: Prepared, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    backup = client.instance.cli("backup", str(_folder(tmp_path / "backups")))
    async with client.instance.serving():
        for _ in range(3):
            assert (await post(session, client.url, CHAT, client.headers)).status == 200
    told = client.instance.cli("restore", backup["path"], "--yes")
    assert (told["usage_rows"], told["lost_usage_rows"]) == (0, 3) and float(told["lost_charge"]) > 0
    kept = Path(told["kept"])
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700 and (kept / "softix.db").is_file()
    assert client.usage() == []
    shutil.copytree(kept, client.instance.data_dir, dirs_exist_ok=True)  # and the way back
    assert len(client.usage()) == 3 and client.verify()["ok"] is True


async def test_backup_that_is_damaged_or_of_another_key_replaces_nothing(client: Prepared, tmp_path: Path) -> None:
    folder = _folder(tmp_path / "backups")
    made = [client.instance.cli("backup", str(folder), kind)["path"] for kind in ("--encrypt", "--plain")]
    sealed, plain = map(Path, made)
    before = client.instance.data_dir.joinpath("softix.db").read_bytes()

    def refused(file: Path, said: str, instance: Instance = client.instance) -> None:
        done = instance.run("restore", str(file), "--yes")
        assert done.code == 1 and said in done.stderr, done
        assert not instance.data_dir.joinpath("softix.db-restoring").exists()

    for file in (sealed, plain):
        changed = bytearray(file.read_bytes())
        changed[len(changed) // 2] ^= 1
        copy = tmp_path / file.name
        copy.write_bytes(changed)
        shutil.copy(f"{file}.sha256", f"{copy}.sha256")
        refused(copy, "it was changed")
        copy.with_name(copy.name + ".sha256").unlink()
        if file is sealed:
            refused(copy, "damaged or cut off")
            copy.write_bytes(file.read_bytes()[:-100])
            refused(copy, "damaged or cut off")
    garbage = tmp_path / "garbage.backup"
    garbage.write_bytes(b"not a database at all" * 1000)
    refused(garbage, "is not a softix database")
    other = elsewhere(client, tmp_path / "other")
    other.data_dir.joinpath("master.key").write_text(f"{secrets.token_hex(32)}\n")
    refused(sealed, "master key", other)
    refused(plain, "the master key is not this instance's", other)
    assert client.instance.data_dir.joinpath("softix.db").read_bytes() == before


async def _receipt(instance: Instance) -> str:
    """Returns the number of a document that is given out now."""
    async with instance.opened() as opened, opened.storage.writing() as unit:
        drawn = StoredDocument(
            id=0,
            user_id=1,
            document=document(),
            span=Span(1, 2),
            covers=False,
            issued_at_us=unit.clock.now_us(),
            exact_pico=5,
            carried_pico=2,
        )
        return (await unit.bill.add(drawn, _SERIES)).document.number


def _manifest(instance: Instance, file: Path) -> dict[str, Any]:
    """Returns the head of the manifest of an export that is made now."""
    instance.cli("usage", "export", "--format", "csv", "--out", str(file), "--from", "2026-01-01", "--to", "2027-12-31")
    [found] = file.parent.glob(f"{file.name}*.manifest.json")
    head: dict[str, Any] = json.loads(found.read_text())["head"]
    return head


async def test_numbers_given_out_after_the_backup_are_not_given_out_twice(client: Prepared, tmp_path: Path) -> None:
    exports, instance = _folder(tmp_path / "exports"), client.instance
    first, first_manifest = await _receipt(instance), _manifest(instance, exports / "1.csv")
    backup = instance.cli("backup", str(_folder(tmp_path / "backups")))["path"]
    second = await _receipt(instance)
    instance.cli("balance", "add", client.user_id, "1")  # so that the export is another one
    second_manifest = _manifest(instance, exports / "2.csv")
    assert (first, second) == (f"{_SERIES}00001", f"{_SERIES}00002")
    told = instance.cli("restore", backup, "--yes")
    assert (told["given_out"], told["last_manifest"]) == ([second], second_manifest["number"])
    assert await _receipt(instance) == f"{_SERIES}00003"
    instance.cli("balance", "add", client.user_id, "2")
    third_manifest = _manifest(instance, exports / "3.csv")
    assert [each["number"] for each in (first_manifest, second_manifest, third_manifest)] == [1, 2, 3]
    assert third_manifest["public_key"] == first_manifest["public_key"]
    assert instance.cli("ledger", "verify")["ok"] is True
    verified = instance.run("export", "verify", str(exports), "--public-key", first_manifest["public_key"])
    assert verified.code == 0, verified

    lost = elsewhere(client, tmp_path / "other")  # the disk with the database is gone
    assert lost.cli("restore", backup, "--given-out", f"{_SERIES}00003")["given_out"] == [f"{_SERIES}00003"]
    assert await _receipt(lost) == f"{_SERIES}00004"
    unclear = lost.run("restore", backup, "--yes", "--given-out", "forty")
    assert unclear.code == 2 and "INV-2026-00042" in unclear.stderr


async def test_scheduled_backup_is_made_by_the_daemon_and_its_age_is_told(
    client: Prepared, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    folder = _folder(tmp_path / "backups")
    async with client.instance.serving(SOFTIX_BACKUP_FOLDER=str(folder)):
        async with asyncio.timeout(20):
            while not list(folder.glob("*.sha256")):
                await asyncio.sleep(0.05)
            while 'softix_backups_total{outcome="made"} 1.0' not in (text := await _metrics(session, client.url)):
                await asyncio.sleep(0.05)
    age = next(line for line in text.splitlines() if line.startswith("softix_backup_age_seconds"))
    assert 0 <= float(age.split()[1]) < 60
    [backup] = folder.glob("*.backup.sealed")
    shown = client.instance.run("doctor", "--only", "backup", "--json")
    [finding] = json.loads(shown.stdout)["findings"]
    assert finding["severity"] == "ok" and str(backup) in finding["message"]


async def _metrics(session: aiohttp.ClientSession, url: str) -> str:
    async with session.get(f"{url}/metrics") as answer:
        return await answer.text()
