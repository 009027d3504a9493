"""Every test that asks for `books`, `empty_books` or `storage` runs once for each engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.books import StoppedClock
from support.engines import ENGINES, Books, Engine

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
