"""Fixtures for every test: servers that are started at their first use and shared by the tests of one worker."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Generator, Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, settings
from support.described_answers import require_described
from support.fake_stripe import FakeStripe, serving_stripe
from support.fresh_database import copy_or_migrate, really_migrate
from support.hostile import HostileProvider
from support.provider import FakeProvider

from softix_proxy.cli.main import main
from softix_proxy.storage.sqlite.core import migrations

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")  # how long an example takes says nothing about it


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Collects no garbage meanwhile: all that collecting tests makes stays, and later nobody looks at it again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def copied_databases() -> Iterator[None]:
    """New databases of this process are copies. Those of `softix init` as a process are migrated, as everywhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "migrate", copy_or_migrate)
        yield


@pytest.fixture(scope="session", autouse=True)
def described_answers() -> Iterator[None]:
    """Whatever a command prints as JSON in this process is as the admin API describes it."""
    invoke = CliRunner.invoke

    def invoke_and_check(runner: CliRunner, command: Any, args: Any = None, *rest: Any, **more: Any) -> Result:
        result = invoke(runner, command, args, *rest, **more)
        if command is main and result.exception is None and not isinstance(args, str | None):
            require_described(args, result.stdout)
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CliRunner, "invoke", invoke_and_check)
        yield


@pytest.fixture
def real_migrations(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of the migrations themselves."""
    monkeypatch.setattr(migrations, "migrate", really_migrate)


@pytest.fixture(scope="session")
def shared_provider() -> Iterator[FakeProvider]:
    provider = FakeProvider()
    yield provider
    provider.stop()


@pytest.fixture
async def fake_provider(shared_provider: FakeProvider) -> AsyncIterator[FakeProvider]:
    """A process of its own, with empty books."""
    await shared_provider.reset()
    yield shared_provider
    await shared_provider.reset()


@pytest.fixture(scope="session")
def hostile_provider() -> Iterator[HostileProvider]:
    provider = HostileProvider()
    yield provider
    provider.stop()


@pytest.fixture
async def fake_stripe() -> AsyncIterator[FakeStripe]:
    """One for each test."""
    async with serving_stripe(FakeStripe()) as served:
        yield served
