"""A period is closed while the daemon serves, exported, and proved without the books; and exports that are killed."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.books import make_intent, make_settlement, post
from support.daemon import Prepared, prepared
from support.process import environment
from support.provider import FakeProvider, fake
from support.wire import CHAT, begin_stream
from support.wire import post as ask

from softix_proxy.domain.core.clock import SystemClock, format_instant, parse_instant
from softix_proxy.storage.sqlite.core.database import Database

BEGIN = "2026-01-01"


def now() -> str:
    return str(format_instant(SystemClock().now_us()))


@pytest.fixture
async def client(tmp_path: Path, fake_provider: FakeProvider) -> AsyncIterator[Prepared]:
    made = await prepared(tmp_path / "instance", fake_provider.base_url)
    yield made
    await made.instance.kill()


def exported(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


async def test_request_that_settles_after_the_close_is_in_the_next_period(
    client: Prepared, fake_provider: FakeProvider, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    softix, exports = client.instance.cli, tmp_path / "exports"
    exports.mkdir()
    async with client.instance.serving():
        assert (await ask(session, client.url, CHAT, client.headers)).status == 200
        reader, writer = await begin_stream(client, CHAT, fake(gate="on", gate_after=2))
        await fake_provider.waiting("on")
        edge = now()
        closed = softix("period", "close", "first", "--from", BEGIN, "--to", edge)
        assert (closed["rows"], closed["paid_in"]) == (1, "25.00"), "what is still held is in no period"
        await fake_provider.open("on")
        assert (await reader.read()).endswith(b"0\r\n\r\n")
        writer.close()
        late = client.usage()[0]
        assert parse_instant(late["posted_at"]) >= parse_instant(edge) > parse_instant(late["usage_at"])
        first = softix("usage", "export", "--period", "first", "--out", str(exports / "first.csv"))
        softix("usage", "correct", late["request_id"], "--charge", "0.00", "--note", "cut", "--yes")
        softix("period", "close", "second", "--from", edge, "--to", now())
        second = softix("usage", "export", "--period", "second", "--out", str(exports / "second.csv"))
        assert client.verify()["periods"] == 2
    assert [len(exported(exports / f"{name}.csv")) for name in ("first", "second")] == [1, 2]
    assert (first["charge"], second["charge"]) == (closed["charge"], "0.00")
    assert softix("period", "show", "second")["sums"][0]["rows"] == 2
    _prove(client, exports)


def _prove(client: Prepared, exports: Path) -> None:
    """With the public key alone; then one digit is changed."""
    key = client.instance.cli("export", "public-key")["public_key"]
    last = str(client.instance.cli("export", "list")[-1]["number"])
    line = ["export", "verify", str(exports), "--public-key", key, "--first", "1", "--last", last]
    assert client.instance.cli(*line)["ok"] is True
    path = exports / "first.csv"
    [row] = exported(path)
    path.write_bytes(path.read_bytes().replace(row["charge"].encode(), b"0.01"))
    done = client.instance.run(*line)
    assert (done.code, done.stdout) == (1, f"{path}: row {row['row_id']} was changed\n")


def test_export_verify_without_an_instance_runs_and_creates_none(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "softix_proxy", "--data-dir", str(tmp_path / "no"), "export", "verify", str(tmp_path)]
    done = subprocess.run([*line, "--public-key", "00" * 32], capture_output=True, text=True, env=environment())
    assert (done.returncode, done.stdout) == (1, f"{tmp_path}: there is no manifest\n")
    assert not (tmp_path / "no").exists()


KILLED = """
import os, signal
from softix_proxy.cli.main import main
from softix_proxy.exports.reporting.atomic_file import AtomicExport

real, left = AtomicExport.{step}, [{times}]

def step(*arguments):
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
    return real(*arguments)

AtomicExport.{step} = step
main()
"""


@pytest.mark.parametrize(
    ("step", "times", "ends_the_first"),
    [("write", 0, False), ("write", 1, False), ("entries", 0, False), ("stage", 0, False), ("place", 0, True)],
)
async def test_export_killed_at_a_step_leaves_no_partial_file_and_succeeds_again(
    client: Prepared, tmp_path: Path, step: str, times: int, ends_the_first: bool
) -> None:
    """At its last step it is in the books already: then the next run ends what the first one began."""
    settings = client.instance.settings
    connection = Database(settings.paths.database, SystemClock()).connect()
    requests: list[Any] = [make_settlement(make_intent(number, 0, hold_pico=9), charge_pico=3) for number in range(9)]
    post(connection, requests, SystemClock().now_us())
    connection.close()
    exports = tmp_path / "exports"
    exports.mkdir()
    line = ["usage", "export", "--from", BEGIN, "--to", "2100-01-01", "--out", str(exports / "all.csv")]
    killed = subprocess.run(
        [
            sys.executable,
            "-c",
            KILLED.format(step=step, times=times),
            "--data-dir",
            str(client.instance.data_dir),
            *line,
        ],
        env=environment(),
    )
    assert killed.returncode == -9
    assert not [path for path in exports.iterdir() if not path.name.endswith(".partial")]
    assert len(client.instance.cli("export", "list")) == ends_the_first
    assert client.instance.cli(*line)["number"] == 1
    assert {path.name for path in exports.iterdir()} == {"all.csv", "all.csv.0001.manifest.json"}
    assert len(exported(exports / "all.csv")) == 9
    key = client.instance.cli("export", "public-key")["public_key"]
    told = client.instance.cli("export", "verify", str(exports), "--public-key", key, "--first", "1", "--last", "1")
    assert told["ok"] is True


@pytest.mark.parametrize("form", ["csv", "jsonl"])
@pytest.mark.parametrize("lost", [0, 7], ids=["whole-lines", "a-cut-line"])
async def test_killed_export_when_resumed_equals_an_uninterrupted_one(
    client: Prepared, tmp_path: Path, form: str, lost: int
) -> None:
    """Byte for byte what an export in one go is, and its manifest proves it."""
    connection = Database(client.instance.settings.paths.database, SystemClock()).connect()
    requests: list[Any] = [make_settlement(make_intent(number, 0, hold_pico=9), charge_pico=3) for number in range(900)]
    post(connection, requests, SystemClock().now_us())
    connection.close()
    exports = tmp_path / "exports"
    exports.mkdir()
    asked = ["usage", "export", "--from", BEGIN, "--to", "2100-01-01", "--format", form]
    line = [*asked, "--resume", "--out", str(exports / "all")]
    few = "from softix_proxy.storage.sqlite.metering import usage\nusage._LINES_AT_ONCE = 100\n"
    killed = subprocess.run(
        [
            *(sys.executable, "-c", few + KILLED.format(step="write", times=5)),
            *("--data-dir", str(client.instance.data_dir), *line),
        ],
        env=environment(),
    )
    assert killed.returncode == -9
    whole = client.instance.run(*asked, "--out", str(tmp_path / "whole"))
    assert whole.code == 0
    partial, expected = exports / "all.partial", (tmp_path / "whole").read_bytes()
    partial.write_bytes(expected[: len(expected) // 2 - lost])  # what a kill leaves of it is up to the system's buffers
    other = client.instance.run(*line, "--from", "2100-01-01", "--to", "2101-01-01")
    assert other.code == 1 and "of another export" in other.stderr and partial.exists()
    told = client.instance.cli(*line)
    assert told["rows"] == 900 and (exports / "all").read_bytes() == expected and not partial.exists()
    key = client.instance.cli("export", "public-key")["public_key"]
    assert client.instance.cli("export", "verify", str(exports), "--public-key", key, "--last", "2")["ok"] is True
