from __future__ import annotations

import pytest

from softix_proxy.domain.access.tokens import AdminToken
from softix_proxy.domain.core.errors import NotFoundError
from softix_proxy.domain.ports.storage import Storage

TOKEN = AdminToken(0, "tok_one", "deploy", "sx_admin_abcd", b"one", "admin", 5, 9)


async def test_token_is_stored_and_found_by_its_id_its_prefix_and_its_digest(storage: Storage) -> None:
    async with storage.writing() as unit:
        made = await unit.tokens.add(TOKEN)
    unit = storage.reading()
    for found in (
        await unit.tokens.find("tok_one"),
        await unit.tokens.find("sx_admin_abcd"),
        await unit.tokens.by_digest(b"one"),
        await unit.tokens.get(made.id),
    ):
        assert found == made
    assert await unit.tokens.list() == [made]


async def test_prefix_of_two_tokens_names_none(storage: Storage) -> None:
    async with storage.writing() as unit:
        await unit.tokens.add(TOKEN)
        await unit.tokens.add(AdminToken(0, "tok_two", "", "sx_admin_abcd", b"two", "admin", 5, None))
    assert await storage.reading().tokens.find("sx_admin_abcd") is None


async def test_token_is_revoked_and_its_use_is_noted(storage: Storage) -> None:
    async with storage.writing() as unit:
        made = await unit.tokens.add(TOKEN)
        await unit.tokens.revoke(made.id, 7)
        await unit.tokens.use(made.id, 6)
    found = await storage.reading().tokens.get(made.id)
    assert (found.revoked_at_us, found.used_at_us) == (7, 6)


async def test_token_that_is_not_there_is_not_found(storage: Storage) -> None:
    unit = storage.reading()
    assert await unit.tokens.find("tok_none") is None and await unit.tokens.by_digest(b"x") is None
    with pytest.raises(NotFoundError):
        await unit.tokens.get(7)
