"""From one version to the next and back, with the real daemon of this one and the commands of the next."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from support import newer
from support.daemon import Prepared, prepared
from support.newer import NewerSoftix
from support.process import ROOT, environment
from support.provider import FakeProvider
from support.wire import CHAT, post


@pytest.fixture
async def client(tmp_path: Path, fake_provider: FakeProvider) -> AsyncIterator[Prepared]:
    made = await prepared(tmp_path, fake_provider.base_url)
    yield made
    await made.instance.kill()


@pytest.fixture
def next_one(client: Prepared, tmp_path: Path) -> NewerSoftix:
    return NewerSoftix(tmp_path, client.instance.data_dir)


async def test_commands_of_the_next_version_leave_the_running_daemon_unchanged(
    client: Prepared, next_one: NewerSoftix, session: aiohttp.ClientSession
) -> None:
    async with client.instance.serving():
        for words in (["users", "list"], ["ledger", "verify"], ["init"], ["doctor", "--offline"]):
            next_one.run(*words, code=0 if words[0] in ("init", "doctor") else 1)
        refused = next_one.run("migrate", code=1)
        assert "softix serves" in refused.stderr and "stop softix serve" in refused.stderr
        assert "stop softix serve" in next_one.run("serve", "--port", "0", code=1).stderr
        assert (await post(session, client.url, CHAT, client.headers)).status == 200
    async with client.instance.serving():  # it can start again
        assert (await post(session, client.url, CHAT, client.headers)).status == 200
    assert not list(client.instance.data_dir.glob("*.backup"))


async def test_backup_of_a_migration_restores_the_old_version(
    client: Prepared, next_one: NewerSoftix, session: aiohttp.ClientSession
) -> None:
    """As docs/operating.md has it."""
    async with client.instance.serving():
        assert (await post(session, client.url, CHAT, client.headers)).status == 200
    told = json.loads(next_one.run("migrate", "--json").stdout)
    assert told["applied"] == [newer.NAME] and Path(told["backup"]).is_file()
    assert next_one.run("users", "list", "--json").returncode == 0
    refused = client.instance.run("serve", "--port", "0")
    assert refused.code == 1 and "install the newer softix again" in refused.stderr
    [finding] = json.loads(client.instance.run("doctor", "--only", "migrations", "--json").stdout)["findings"]
    assert finding["severity"] == "error" and "restore the backup" in finding["remedy"]
    subprocess.run(["sh", "-ec", way_back(client.instance.data_dir, told["backup"])], check=True, env=environment())
    async with client.instance.serving():
        assert (await post(session, client.url, CHAT, client.headers)).status == 200
    assert len(client.usage()) == 2 and client.verify()["ok"] is True
    assert next_one.run("migrate").returncode == 0, "and forward again"


def way_back(data_dir: Path, backup: str) -> str:
    """The commands of the document, for this instance."""
    page = (ROOT / "docs" / "operating.md").read_text("utf-8")
    [shown] = re.findall(r"```sh\n((?:(?!```).)*\.backup[^`]*)```", page, re.DOTALL)
    named = re.sub(r"/backup/\S+|\S+\.backup", backup, shown)
    assert backup in named and "/var/lib/softix" in named
    return named.replace("/var/lib/softix", str(data_dir))


async def test_serve_of_the_next_version_migrates_and_logs_the_path_of_the_backup(
    client: Prepared, next_one: NewerSoftix
) -> None:
    process = subprocess.Popen(
        next_one.command("--json", "serve", "--port", "0"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    try:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["event"] == "serving"
    finally:
        process.terminate()
        _, log = process.communicate(timeout=30)
    assert process.returncode == 0
    [backup] = client.instance.data_dir.glob("*.backup")
    [line] = [json.loads(line) for line in log.splitlines() if "migrated" in line]
    assert str(backup) in line["event"] and f"schema {newer.NUMBER}" in line["event"]
