"""The operators' side over a real database with one of everything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.operators_side import OperatorsSide, open_side, write_everything


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with one of everything. It is made once, because that takes longer than to copy it."""
    return asyncio.run(write_everything(tmp_path_factory.mktemp("everything")))


@pytest.fixture
async def side(tmp_path: Path, original: Path) -> AsyncIterator[OperatorsSide]:
    made = await open_side(tmp_path, original)
    yield made
    await made.database.close()


@pytest.fixture
async def empty_side(tmp_path: Path) -> AsyncIterator[OperatorsSide]:
    made = await open_side(tmp_path)
    yield made
    await made.database.close()
