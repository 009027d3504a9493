"""A daemon for all tests of one module, and the fake provider beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from support.daemon import Prepared, prepared
from support.provider import FakeProvider


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory, shared_provider: FakeProvider) -> AsyncIterator[Prepared]:
    folder: Path = tmp_path_factory.mktemp("served")
    made = await prepared(folder, shared_provider.base_url, chat_models=("gpt-test", "embed-test"))
    async with made.instance.serving():
        yield made
