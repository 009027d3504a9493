from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path

import pytest

from softix_proxy.domain.core.errors import BadInputError, FailureError
from softix_proxy.domain.notices.mail_section import MailSection
from softix_proxy.operations.notices import mail_password
from softix_proxy.storage.sqlite.unit import SqliteStorage
from softix_proxy.vault.master_key import MasterKey
from softix_proxy.vault.vault import KeyRing, MasterVault

SECTION = MailSection(transport="smtp", host="smtp.example.org", user="softix", from_address="softix@example.org")


def vault_of(*keys: MasterKey) -> MasterVault:
    return MasterVault(keys[0], secrets.token_bytes(32), KeyRing(keys))


@pytest.fixture
def key() -> MasterKey:
    return MasterKey(secrets.token_bytes(32))


async def test_password_is_sealed_and_opens_for_its_server(
    books: SqliteStorage, key: MasterKey, tmp_path: Path
) -> None:
    vault, text = vault_of(key), secrets.token_urlsafe(12)
    await mail_password.set_password(books, vault, SECTION, text)
    assert await mail_password.password(books.reading(), vault, SECTION) == text
    assert (await mail_password.SECRET.count(books.reading(), vault)).stored == 1
    for file in tmp_path.iterdir():
        assert text.encode() not in file.read_bytes()


@pytest.mark.parametrize("change", [{"host": "evil.example.org"}, {"user": "eve"}, {"port": 2525}])
async def test_password_does_not_open_for_another_server_or_user(
    books: SqliteStorage, key: MasterKey, change: dict[str, str]
) -> None:
    await mail_password.set_password(books, vault_of(key), SECTION, secrets.token_urlsafe(12))
    with pytest.raises(FailureError, match="set for another server"):
        await mail_password.password(books.reading(), vault_of(key), replace(SECTION, **change))  # type: ignore[arg-type]


async def test_missing_password_is_named_and_no_user_needs_none(books: SqliteStorage, key: MasterKey) -> None:
    with pytest.raises(FailureError, match="there is no password"):
        await mail_password.password(books.reading(), vault_of(key), SECTION)
    assert await mail_password.password(books.reading(), vault_of(key), replace(SECTION, user=None)) is None


@pytest.mark.parametrize("text", ["", "two\nlines", "x" * 1025])
async def test_unusable_password_is_refused(books: SqliteStorage, key: MasterKey, text: str) -> None:
    with pytest.raises(BadInputError):
        await mail_password.set_password(books, vault_of(key), SECTION, text)


async def test_password_without_a_server_is_refused(books: SqliteStorage, key: MasterKey) -> None:
    with pytest.raises(BadInputError, match="belongs to a mail server"):
        await mail_password.set_password(books, vault_of(key), MailSection(), "x")


async def test_password_after_a_change_of_the_master_key_opens_with_the_new_one_alone(
    books: SqliteStorage, key: MasterKey
) -> None:
    text = secrets.token_urlsafe(12)
    await mail_password.set_password(books, vault_of(key), SECTION, text)
    new = MasterKey(secrets.token_bytes(32))
    both = vault_of(new, key)
    assert (await mail_password.SECRET.count(books.reading(), both)).outstanding == 1
    assert await mail_password.SECRET.rewrap(books, both) and not await mail_password.SECRET.rewrap(books, both)
    assert await mail_password.password(books.reading(), vault_of(new), SECTION) == text
