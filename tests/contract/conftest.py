"""Every test that asks for `books`, `empty_books` or `storage` runs once for each engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.books import StoppedClock
from support.engines import ENGINES, Books, Engine

from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.accounts.accounts import Account, AccountStatus
from softix_proxy.domain.ports.storage import Storage


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    return ENGINES[request.param]


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
async def books(engine: Engine, tmp_path: Path, clock: StoppedClock) -> AsyncIterator[Books]:
    """With two users, who have money."""
    made = await engine.open(tmp_path, clock, users=True)
    yield made
    await made.close()


@pytest.fixture
async def empty_books(
    engine: Engine, tmp_path_factory: pytest.TempPathFactory, clock: StoppedClock
) -> AsyncIterator[Books]:
    made = await engine.open(tmp_path_factory.mktemp("empty"), clock, users=False)
    yield made
    await made.close()


@pytest.fixture
def storage(books: Books) -> Storage:
    return books.storage


@pytest.fixture
async def people(storage: Storage) -> None:
    """Adds the accounts of two people, who are numbers 1 and 2."""
    async with storage.writing() as unit:
        for name in ("ada", "bob"):
            await unit.accounts.add(
                Account(0, f"acc_{name}", f"{name}@example.org", name, UserRole.USER, AccountStatus.ACTIVE, 1)
            )
