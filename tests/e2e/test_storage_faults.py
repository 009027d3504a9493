"""Books that cannot be written: every request is refused, everybody is told why, and nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
import json
import resource
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.daemon import Prepared, prepared
from support.provider import FakeProvider
from support.tenants import rows
from support.wire import CHAT, post

from softix_proxy.storage.sqlite.core import engine
from softix_proxy.storage.sqlite.core.writer_queue import WriteTurn

WAIT_S = 20


class Served:
    """A daemon, and one client of it."""

    def __init__(self, client: Prepared, session: aiohttp.ClientSession) -> None:
        self.client, self.session = client, session
        self.database = client.instance.data_dir / "softix.db"

    async def ask(self) -> int:
        return (await post(self.session, self.client.url, CHAT, self.client.headers)).status

    async def readiness(self) -> tuple[int, dict[str, Any]]:
        async with self.session.get(f"{self.client.url}/readyz") as answer:
            return answer.status, await answer.json()

    async def metric(self, name: str) -> str:
        async with self.session.get(f"{self.client.url}/metrics") as answer:
            return next(line for line in (await answer.text()).splitlines() if line.startswith(name))

    async def until_ready(self) -> None:
        async with asyncio.timeout(WAIT_S):
            while (await self.readiness())[0] != 200:
                await asyncio.sleep(0.02)

    def doctor(self) -> list[dict[str, Any]]:
        port = self.client.url.rpartition(":")[2]
        done = self.client.instance.run("--json", "doctor", "--offline", SOFTIX_SERVER_PORT=port)
        findings: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
        return [finding for finding in findings if finding["severity"] == "error"]


@pytest.fixture
async def served(tmp_path: Path, fake_provider: FakeProvider) -> AsyncIterator[Served]:
    client = await prepared(tmp_path, fake_provider.base_url)
    await client.instance.start(SOFTIX_STORAGE_BUSY_TIMEOUT_MS="100")
    async with aiohttp.ClientSession() as session:
        served = Served(client, session)
        assert await served.ask() == 200
        yield served
    await client.instance.kill()


@contextmanager
def no_room(served: Served) -> Iterator[None]:
    """No file of the daemon's may grow beyond what its write-ahead log has."""
    assert served.client.instance.process is not None
    pid = served.client.instance.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    most = Path(f"{served.database}-wal").stat().st_size
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, before[1]))
    yield
    resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


@contextmanager
def locked(served: Served) -> Iterator[None]:
    """By a program that takes no turns."""
    other = engine.connect(served.database)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.close()


@contextmanager
def kept_waiting(served: Served) -> Iterator[None]:
    """By a program that has its turn, and was stopped in it."""
    turn = WriteTurn(served.database, WAIT_S)
    turn.take()
    command = ("balance", "add", served.client.user_id, "1", "--note", "x")
    done = served.client.instance.run(*command, SOFTIX_STORAGE_BUSY_TIMEOUT_MS="100")
    assert done.code == 1 and "locked by another program" in done.stderr and "try again" in done.stderr, done
    yield
    turn.close()


@pytest.mark.parametrize(
    ("fault", "code"), [(no_room, "SQLITE_IOERR_WRITE"), (locked, "SQLITE_BUSY"), (kept_waiting, "SQLITE_BUSY")]
)
async def test_readiness_while_no_commit_succeeds_is_503_with_reason_and_remedy(
    served: Served, fault: Any, code: str
) -> None:
    with fault(served):
        assert await served.ask() == 503
        for _ in range(20):
            status, told = await served.readiness()
            assert (status, told["status"], told["code"]) == (503, "not ready", code)
            assert told["reason"].startswith("the books cannot be written: ") and told["remedy"] and told["since"]
            assert str(served.database) not in json.dumps(told)
            await asyncio.sleep(0.02)
        assert await served.metric("softix_journal_failing") == f'softix_journal_failing{{error="{code}"}} 1.0'
        assert float((await served.metric("softix_journal_queue")).split()[1]) >= 1
        assert any(finding["check"] == "daemon" and told["reason"] in finding["message"] for finding in served.doctor())
    await served.until_ready()
    assert await served.metric("softix_journal_failing") == 'softix_journal_failing{error=""} 0.0'
    assert await served.ask() == 200
    assert len(await rows(served.client)) == 2 and served.client.verify()["ok"] is True
    log = served.client.instance.log_text()
    assert log.count("the books cannot be written: ") == 1 and "can be written again" in log and code in log


async def test_moved_database_is_reported_and_served_again_when_it_is_back(served: Served) -> None:
    away = served.database.with_name("elsewhere.db")
    served.database.rename(away)
    status, told = await served.readiness()  # before anybody asks for anything
    assert (status, told["code"]) == (503, "DATABASE_MOVED")
    assert "no longer there" in told["reason"] and "put it back" in told["remedy"]
    assert await served.ask() == 503
    refused = served.client.instance.run("users", "list")
    assert refused.code == 1 and "there is no database" in refused.stderr
    assert not served.database.exists(), "nothing makes a database but init"
    away.rename(served.database)
    await served.until_ready()
    assert await served.ask() == 200
    assert len(await rows(served.client)) == 2 and served.client.verify()["ok"] is True


async def test_other_database_at_the_same_path_is_not_written_to(served: Served) -> None:
    other = served.database.with_name("other.db")
    shutil.copyfile(served.database, other)
    before = other.read_bytes()
    other.replace(served.database)
    assert await served.ask() == 503
    status, told = await served.readiness()
    assert (status, told["code"]) == (503, "DATABASE_MOVED") and "restart softix serve" in told["remedy"]
    assert served.database.read_bytes() == before


async def test_deleted_database_is_not_made_again(served: Served) -> None:
    served.database.unlink()
    assert await served.ask() == 503
    assert (await served.readiness())[1]["code"] == "DATABASE_MOVED"
    assert await served.client.instance.stop() == 0
    assert not served.database.exists()
    assert any("there is no database" in finding["message"] for finding in served.doctor())


async def test_deleted_database_log_loses_nothing_after_the_restart(served: Served) -> None:
    for _ in range(5):
        assert await served.ask() == 200
    Path(f"{served.database}-wal").unlink()
    assert await served.ask() == 503
    status, told = await served.readiness()
    assert (status, told["code"]) == (503, "DATABASE_LOG_MOVED") and "restart softix serve" in told["remedy"]
    assert await served.client.instance.stop() == 0
    await served.client.instance.start()
    assert await served.ask() == 200
    assert len(await rows(served.client)) == 7 and served.client.verify()["ok"] is True
