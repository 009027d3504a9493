"""Commands on a real instance, within this process."""

from __future__ import annotations

import asyncio
import json
import shlex
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner, Result
from support.audited_rows import audited_rows, require_entry
from support.books import make_intent, make_settlement, post

from softix_proxy import assembly
from softix_proxy.cli.main import main
from softix_proxy.domain.core.clock import SystemClock, parse_instant
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.metering.usage import UsageSource
from softix_proxy.domain.ports.upstream import Fetched
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.upstream import probe

Softix = Callable[..., Result]
NOW_US = parse_instant("2026-11-25T12:00:00Z")
"""When each test begins, by the clock of this process: no run of the tests crosses the end of a day or a month."""


@pytest.fixture(autouse=True)
def set_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sets the clock to NOW_US. From then on it goes as usual."""
    began_ns = time.monotonic_ns()
    monkeypatch.setattr(SystemClock, "now_us", lambda _: NOW_US + (time.monotonic_ns() - began_ns) // 1000)


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data directory of a new one."""
    for name in ("SOFTIX_MASTER_KEY", "CREDENTIALS_DIRECTORY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "softix"
    asyncio.run(assembly.initialise(assembly.read_settings(None, folder)))
    return folder


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands of these tests ask servers on this machine only, and are refused by all others."""
    asks = probe.fetch

    async def fetch(url: str, *arguments: Any, **options: Any) -> Fetched:
        if urlsplit(url).hostname != "127.0.0.1":
            raise FailureError("the host name is not known", "check the base URL and the machine's DNS")
        return await asks(url, *arguments, **options)

    monkeypatch.setattr(probe, "fetch", fetch)


@pytest.fixture
def run(instance: Path) -> Softix:
    """`run("users list", code=0)`. Whatever it changes must be in the audit."""

    def run(line: str, code: int = 0, stdin: str = "") -> Result:
        before = audited_rows(instance)
        result = CliRunner().invoke(main, ["--data-dir", str(instance), *shlex.split(line)], input=stdin)
        assert result.exit_code == code, result.output
        require_entry(before, audited_rows(instance), shlex.split(line))
        return result

    return run


@pytest.fixture
def read(run: Softix) -> Callable[[str], Any]:
    """The same with `--json`, decoded."""
    return lambda line: json.loads(run(f"{line} --json").stdout)


@pytest.fixture
def database(instance: Path, run: Softix) -> Database:
    """Two requests of ada: one for $0.0028, and one that failed."""
    run("users create ada --email ada@example.org")
    run("keys create --user ada")
    run("balance add ada@example.org 5.00 --note test")
    run("providers add lab --type openai-compatible --base-url http://lab.example")
    run("models add llama --provider lab --input 2.00 --output 8.00")
    database = Database(instance / "softix.db", SystemClock())
    connection = database.connect()
    [(price_id,)] = connection.execute("SELECT max(id) FROM prices").fetchall()
    paid = make_settlement(
        make_intent(1, 0, price_id=price_id),
        charge_pico=2_800_000_000,
        meters={"input_tokens": 1000, "output_tokens": 100},
    )
    failed = make_settlement(
        make_intent(2, 0),
        charge_pico=0,
        meters={},
        status_code=502,
        error="provider_broke_off",
        source=UsageSource.NONE,
    )
    post(connection, [paid, failed], NOW_US)
    connection.close()
    return database
