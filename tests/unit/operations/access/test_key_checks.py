from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.books import StoppedClock, make_database

from softix_proxy.domain.access.keys import KeyLimits, ModelRate
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.operations.access.key_checks import checked_limits, checked_models
from softix_proxy.storage.sqlite.unit import SqliteStorage


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqliteStorage]:
    database = await make_database(tmp_path, StoppedClock()).open()
    yield SqliteStorage(database)
    await database.close()


async def test_patterns_of_providers_that_there_are_and_of_any_provider_are_taken(storage: SqliteStorage) -> None:
    patterns = ("lab/*", "gpt-*", "*/meta-llama/*", "l?b/x", "llama")
    assert await checked_models(storage.reading(), patterns) == patterns


@pytest.mark.parametrize("pattern", ["nobody/*", "", "two words", "gpt-\u20ac", "x" * 129])
async def test_pattern_that_stands_for_nothing_is_refused(storage: SqliteStorage, pattern: str) -> None:
    with pytest.raises(BadInputError):
        await checked_models(storage.reading(), [pattern])


@pytest.mark.parametrize(
    "limits",
    [
        KeyLimits(rpm=0),
        KeyLimits(tpm=10**9 + 1),
        KeyLimits(concurrency=-1),
        KeyLimits(cap_pico=-1),
        KeyLimits(model_rates=(ModelRate("x", 0, None),)),
        KeyLimits(model_rates=(ModelRate("x", None, 10**9 + 1),)),
    ],
)
def test_limits_out_of_range_are_refused(limits: KeyLimits) -> None:
    with pytest.raises(BadInputError):
        checked_limits(limits)


def test_limits_in_range_are_returned_unchanged() -> None:
    limits = KeyLimits(1, 10**9, 1, 0, "day", (ModelRate("x", 1, None),))
    assert checked_limits(limits) is limits
