from __future__ import annotations

import pytest
from support.books import StoppedClock
from support.people import People

from softix_proxy.storage.sqlite.unit import SqliteStorage


@pytest.fixture
def people(books: SqliteStorage, stopped_clock: StoppedClock) -> People:
    return People(books, stopped_clock)
