"""Keys of providers whose rows somebody changed who can write to the database but has no master key."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

import aiohttp
import apsw
import pytest
from support.daemon import Prepared, prepared
from support.provider import FakeProvider
from support.wire import CHAT, MESSAGES, Route, post

OTHER_HOST = "http://localhost"
Change = Callable[[apsw.Connection], None]


def swapped(books: apsw.Connection) -> None:
    """Each of the two providers has the other's key."""
    [(one, first), (two, second)] = books.execute("SELECT id, sealed_key FROM providers ORDER BY id").fetchall()
    books.execute("UPDATE providers SET sealed_key = ? WHERE id = ?", (second, one))
    books.execute("UPDATE providers SET sealed_key = ? WHERE id = ?", (first, two))


def moved(books: apsw.Connection) -> None:
    """Another server of the attacker's gets the requests: the same machine under another name."""
    books.execute("UPDATE providers SET base_url = replace(base_url, 'http://127.0.0.1', ?)", (OTHER_HOST,))


def flipped(books: apsw.Connection) -> None:
    for number, sealed in books.execute("SELECT id, sealed_key FROM providers").fetchall():
        damaged = bytes((*sealed[:-1], sealed[-1] ^ 1))
        books.execute("UPDATE providers SET sealed_key = ? WHERE id = ?", (damaged, number))


def renamed(books: apsw.Connection) -> None:
    """The rows change places by their public ids, to which keys are bound."""
    [(one, first), (two, second)] = books.execute("SELECT id, public_id FROM providers ORDER BY id").fetchall()
    for number, name in ((one, "prv_between"), (two, first), (one, second)):
        books.execute("UPDATE providers SET public_id = ? WHERE id = ?", (name, number))


CHANGES: dict[str, Change] = {"swapped": swapped, "moved": moved, "flipped": flipped, "renamed": renamed}
WAYS: dict[str, Route] = {"chat": CHAT, "messages": MESSAGES}


def change(client: Prepared, what: Change) -> None:
    books = apsw.Connection(str(client.instance.data_dir / "softix.db"))
    try:
        what(books)
    finally:
        books.close()


@pytest.mark.parametrize("how", CHANGES)
async def test_provider_s_key_that_was_moved_or_changed_is_never_sent(
    how: str, tmp_path: Path, fake_provider: FakeProvider
) -> None:
    client = await prepared(tmp_path, fake_provider.base_url)
    change(client, CHANGES[how])
    async with client.instance.serving(), aiohttp.ClientSession() as session:
        for route in WAYS.values():
            answer = await post(session, client.url, route, client.headers)
            assert answer.status >= 500, answer.body
            assert all(key.encode() not in answer.body for key in client.provider_keys.values())
        assert await fake_provider.requests() == []
    assert {row["charge"] for row in client.usage()} <= {"0.00"}
    assert all(key not in client.instance.log_text() for key in client.provider_keys.values())


async def test_provider_s_key_that_stays_in_its_row_is_sent(tmp_path: Path, fake_provider: FakeProvider) -> None:
    """The checks above can fail."""
    client = await prepared(tmp_path, fake_provider.base_url)
    async with client.instance.serving(), aiohttp.ClientSession() as session:
        for route in WAYS.values():
            assert (await post(session, client.url, route, client.headers)).status == 200
    sent = [dict(record["headers"]) for record in await fake_provider.requests()]
    shown = {headers.get("authorization", "").removeprefix("Bearer ") or headers["x-api-key"] for headers in sent}
    assert shown == set(client.provider_keys.values())


async def test_master_key_of_another_instance_opens_nothing(tmp_path: Path, fake_provider: FakeProvider) -> None:
    """A stolen database without its master key: another one does not even let it start."""
    client = await prepared(tmp_path, fake_provider.base_url)
    other = secrets.token_hex(32)
    (client.instance.data_dir / "master.key").unlink()
    for command in (("secrets", "status"), ("serve", "--port", "0"), ("providers", "test", "chat-lab")):
        done = client.instance.run(*command, SOFTIX_MASTER_KEY=other)
        assert done.code != 0 and "master key is not this instance's" in done.stderr
        assert all(key not in done.stdout + done.stderr for key in client.provider_keys.values())
    assert await fake_provider.requests() == []
