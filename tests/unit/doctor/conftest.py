"""A real instance to be broken, and the checks run on it as the command runs them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from softix_proxy import assembly
from softix_proxy.doctor import checkup
from softix_proxy.doctor.check_context import CheckContext
from softix_proxy.doctor.findings import Finding
from softix_proxy.settings import Settings
from softix_proxy.storage.sqlite.core import engine
from softix_proxy.storage.sqlite.core.engine import SqliteConnection

Look = Callable[..., Awaitable[Sequence[Finding]]]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in ("SOFTIX_MASTER_KEY", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    return assembly.read_settings(None, tmp_path / "softix")


@pytest.fixture
async def made(settings: Settings) -> Settings:
    await assembly.initialise(settings)
    return settings


@pytest.fixture
def books(made: Settings) -> Iterator[SqliteConnection]:
    """For changes by hand."""
    connection = engine.connect(made.paths.database)
    yield connection
    connection.close()


@pytest.fixture
def look(settings: Settings) -> Look:
    """`await look("clock", clock=…)`: the findings of these checks (all, if none is named) on parts put in place."""

    async def look(*only: str, **parts: Any) -> Sequence[Finding]:
        async with assembly.open_check_context(parts.pop("settings", settings), offline=True) as whole:
            names = ("settings", "storage", "health", "keys", "clock", "fetch", "daemon", "mail")
            return await checkup.run(CheckContext(**{name: getattr(whole, name) for name in names} | parts), only)

    return look
