"""Books with two users, their keys and money, in the middle of an hour."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.abuse_lab import LATER_US
from support.books import StoppedClock
from support.engines import ENGINES, Books


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock(LATER_US)


@pytest.fixture
async def books(tmp_path: Path, clock: StoppedClock) -> AsyncIterator[Books]:
    made = await ENGINES["sqlite"].open(tmp_path, clock, users=True)
    yield made
    await made.close()
