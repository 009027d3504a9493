"""Real books, and a vault that makes keys and takes passwords."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.books import StoppedClock
from support.people import People

from softix_proxy.domain.access.users import User, UserRole
from softix_proxy.domain.ports.vault import NewKey
from softix_proxy.operations.access import users
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage


class KeyMaker:
    """The verbs of the vault that operations on keys and users need."""

    def __init__(self) -> None:
        self.hashed: list[str] = []

    def new_api_key(self) -> NewKey:
        text = f"sx_live_{secrets.token_hex(16)}"
        return NewKey(text, text[:12], secrets.token_bytes(32))

    def hash_password(self, text: str) -> str:
        self.hashed.append(text)
        return f"hash {len(self.hashed)}"


@pytest.fixture
def maker() -> KeyMaker:
    return KeyMaker()


@pytest.fixture
def stopped_clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
async def books(tmp_path: Path, stopped_clock: StoppedClock) -> AsyncIterator[SqliteStorage]:
    database = Database(tmp_path / "softix.db", stopped_clock)
    database.create()
    await database.open()
    yield SqliteStorage(database)
    await database.close()


@pytest.fixture
async def ada(books: SqliteStorage) -> User:
    return await users.create(books, name="ada", email="ada@example.org", role=UserRole.USER, postpaid=False)


@pytest.fixture
def people(books: SqliteStorage, stopped_clock: StoppedClock) -> People:
    return People(books, stopped_clock)
