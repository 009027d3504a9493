"""A database that cannot be used is reported by its cause, with the remedy, by commands and by the daemon.

Each cause is the real thing: a full disk, a limit on the size of files, a lock of another process, a file system that
is read-only, and a damaged page.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.daemon import Finished, Prepared, prepared
from support.mounted import SmallDisk, small_disk
from support.process import environment
from support.provider import FakeProvider
from support.wire import CHAT, post

_DISK_KIB = 12_288
_BUSY_MS = "100"
_LOCKS = """
import sys, apsw
connection = apsw.Connection(sys.argv[1])
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


class Disk:
    """A prepared instance on a disk of its own."""

    def __init__(self, made: Prepared, disk: SmallDisk) -> None:
        self.made, self.disk = made, disk
        self.database = made.instance.data_dir / "softix.db"
        self.holder = 0
        """The process that has the lock."""

    def run(self, *arguments: str) -> Finished:
        return self.made.instance.run(*arguments, SOFTIX_STORAGE_BUSY_TIMEOUT_MS=_BUSY_MS)

    def write(self) -> Finished:
        return self.run("balance", "add", self.made.user_id, "1", "--note", "x")


@pytest.fixture
async def on_disk(tmp_path: Path, fake_provider: FakeProvider) -> AsyncIterator[Disk]:
    with small_disk(tmp_path / "disk", _DISK_KIB) as disk:
        made = await prepared(disk.folder, fake_provider.base_url)
        made.instance.log = tmp_path / "daemon.log"
        made.instance.output = tmp_path / "daemon.out"
        try:
            yield Disk(made, disk)
        finally:
            await made.instance.kill()


@contextmanager
def full(at: Disk) -> Iterator[None]:
    with at.disk.full():
        yield


@contextmanager
def locked(at: Disk) -> Iterator[None]:
    holder = subprocess.Popen(
        [sys.executable, "-c", _LOCKS, str(at.database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
    )
    assert holder.stdout is not None and holder.stdout.readline() == b"locked\n"
    at.holder = holder.pid
    yield
    holder.communicate(b"")


@contextmanager
def read_only(at: Disk) -> Iterator[None]:
    with at.disk.read_only():
        yield


@contextmanager
def damaged(at: Disk) -> Iterator[None]:
    """Garbage in place of all pages but the first, in the file and not in the log."""
    size = at.database.stat().st_size
    with at.database.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(size - 4096))
    yield


Fault = Callable[[Disk], AbstractContextManager[None]]


@pytest.mark.parametrize(
    ("fault", "said", "to_do"),
    [
        (full, "the disk is full", "make room"),
        (locked, "the database is locked by another program: process", "end that program"),
        (read_only, "Read-only file system|mounted read-only", "mount it writable"),
        (damaged, "is damaged", "restore the latest backup"),
    ],
)
async def test_command_that_cannot_write_names_the_cause_and_the_remedy(
    on_disk: Disk, fault: Fault, said: str, to_do: str
) -> None:
    with fault(on_disk):
        done = on_disk.write()
    assert done.code == 1 and re.search(said, done.stderr) and to_do in done.stderr, done
    assert "Traceback" not in done.stderr and "folder exists" not in done.stderr
    assert len(done.stderr.splitlines()) == 2, "one line says what is wrong, and one what to do"


async def test_command_that_only_reads_names_a_full_disk_too(on_disk: Disk) -> None:
    with on_disk.disk.full():
        done = on_disk.run("users", "list")
    assert done.code == 1 and "the disk is full" in done.stderr and "make room" in done.stderr, done
    assert on_disk.run("users", "list").code == 0


async def test_lock_of_another_program_is_named_with_its_process(on_disk: Disk) -> None:
    with locked(on_disk):
        done = on_disk.write()
    assert f"process {on_disk.holder}" in done.stderr, done


async def test_command_with_a_limit_on_the_size_of_files_names_it(on_disk: Disk) -> None:
    command = on_disk.made.instance.command("balance", "add", on_disk.made.user_id, "1", "--note", "x")
    limited = ["sh", "-c", 'ulimit -f 1; exec "$@"', "sh", *command]
    done = subprocess.run(limited, capture_output=True, text=True, env=environment(), timeout=60)
    assert done.returncode == 1, done
    assert "the limit on the size of files" in done.stderr and "ulimit -f" in done.stderr


async def test_new_instance_on_a_full_disk_names_the_cause(on_disk: Disk) -> None:
    with on_disk.disk.full():
        done = on_disk.made.instance.run("--data-dir", str(on_disk.disk.folder / "other"), "init")
    assert done.code == 1 and re.search("disk is full|No space left", done.stderr) and "make room" in done.stderr, done


# The daemon


async def _ready(session: aiohttp.ClientSession, url: str) -> tuple[int, dict[str, Any]]:
    async with session.get(f"{url}/readyz") as answer:
        return answer.status, await answer.json()


@contextmanager
def size_limited(at: Disk) -> Iterator[None]:
    assert at.made.instance.process is not None
    pid = at.made.instance.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    most = Path(f"{at.database}-wal").stat().st_size
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, before[1]))
    yield
    resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(
    ("fault", "code", "said", "to_do"),
    [
        (full, "SQLITE_FULL", "the disk is full", "make room"),
        (size_limited, "SQLITE_IOERR_WRITE", "the limit on the size of files", "LimitFSIZE="),
        (locked, "SQLITE_BUSY", "locked by another program", "end that program"),
    ],
)
async def test_daemon_that_cannot_write_names_the_cause_to_clients_and_monitoring_and_recovers(
    on_disk: Disk, fault: Fault, code: str, said: str, to_do: str
) -> None:
    made = on_disk.made
    async with made.instance.serving(SOFTIX_STORAGE_BUSY_TIMEOUT_MS=_BUSY_MS), aiohttp.ClientSession() as session:
        assert (await post(session, made.url, CHAT, made.headers)).status == 200
        with fault(on_disk):
            refused = await post(session, made.url, CHAT, made.headers)
            told = json.loads(refused.body)["error"]
            assert (refused.status, told["code"]) == (503, "storage_unavailable") and refused.headers["retry-after"]
            assert told["cause"] == code and said in told["message"], told
            status, readiness = await _ready(session, made.url)
            assert (status, readiness["code"]) == (503, code), readiness
            assert said in readiness["reason"] and to_do in readiness["remedy"]
            assert str(on_disk.database) not in json.dumps([told, readiness])
        async with asyncio.timeout(20):
            while (await _ready(session, made.url))[0] != 200:
                await asyncio.sleep(0.05)
        assert (await post(session, made.url, CHAT, made.headers)).status == 200
    assert made.verify()["ok"] is True and len(made.usage()) == 2


async def test_daemon_whose_pages_are_damaged_names_the_cause(on_disk: Disk) -> None:
    made = on_disk.made
    async with made.instance.serving():  # its end writes the log into the file, so that the pages are read from there
        pass
    await made.instance.start()
    async with aiohttp.ClientSession() as session:
        with damaged(on_disk):
            refused = await post(session, made.url, CHAT, made.headers)
            told = json.loads(refused.body)["error"]
            assert refused.status == 503 and told["cause"].startswith("SQLITE_CORRUPT"), told
            status, readiness = await _ready(session, made.url)
            assert (
                status == 503
                and "damaged" in readiness["reason"]
                and "restore the latest backup" in readiness["remedy"]
            )


@pytest.mark.parametrize(
    ("fault", "said", "to_do"),
    [
        (full, "the disk is full|No space left", "make room"),
        (read_only, "Read-only file system|mounted read-only", "mount it writable"),
        (damaged, "is damaged", "restore the latest backup"),
    ],
)
async def test_daemon_that_cannot_start_names_the_cause_and_the_remedy(
    on_disk: Disk, fault: Fault, said: str, to_do: str
) -> None:
    with fault(on_disk):
        done = on_disk.run("serve", "--port", "0")
    assert done.code == 1 and re.search(said, done.stderr) and to_do in done.stderr, done
