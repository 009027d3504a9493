from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path

import pytest
from standardwebhooks import Webhook
from support.books import StoppedClock

from softix_proxy.domain.access.users import User
from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.core.errors import BadInputError, ConflictError, FailureError, NotFoundError
from softix_proxy.domain.notices.webhook_events import EventKind
from softix_proxy.domain.notices.webhooks import EndpointStatus
from softix_proxy.operations.notices import webhook_events, webhooks
from softix_proxy.storage.sqlite.unit import SqliteStorage
from softix_proxy.vault.master_key import MasterKey
from softix_proxy.vault.vault import KeyRing, MasterVault

URL = "https://example.org/softix"


def vault_of(*keys: MasterKey) -> MasterVault:
    return MasterVault(keys[0], secrets.token_bytes(32), KeyRing(keys))


@pytest.fixture
def key() -> MasterKey:
    return MasterKey(secrets.token_bytes(32))


@pytest.fixture
def vault(key: MasterKey) -> MasterVault:
    return vault_of(key)


async def delivery_of(books: SqliteStorage, public_id: str) -> str:
    """Adds an event for the endpoint. Returns the id of its delivery."""
    async with books.writing() as unit:
        assert await webhook_events.enqueue(unit, EventKind.PERIOD_CLOSED, {"period": "2026-10"}) == 1
    _, [listed] = await webhooks.show(books, public_id, 1)
    return listed.delivery.public_id


async def test_secret_is_sealed_and_in_no_file(books: SqliteStorage, vault: MasterVault, tmp_path: Path) -> None:
    made = await webhooks.add(books, vault, URL)
    assert webhooks.secrets_of(vault, made.endpoint, 0) == [made.secret] and made.secret not in repr(made)
    for file in tmp_path.iterdir():
        assert made.secret.encode() not in file.read_bytes()


@pytest.mark.parametrize("change", [{"url": "https://evil.example.org"}, {"public_id": "whk_other"}])
async def test_secret_does_not_open_for_another_url_or_endpoint(
    books: SqliteStorage, vault: MasterVault, change: dict[str, str]
) -> None:
    made = await webhooks.add(books, vault, URL)
    with pytest.raises(FailureError):
        webhooks.secrets_of(vault, replace(made.endpoint, **change), 0)  # type: ignore[arg-type] # one text


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("example.org", "not a URL"),
        ("https://", "not a URL"),
        ("https://[::1", "not a URL"),
        ("https://example.org:0/", "not a URL"),
        ("https://example.org:x/", "not a URL"),
        ("https://exämple.org/", "not a URL"),
        ("https://example.org/a b", "not a URL"),
        (f"https://example.org/{'a' * 2048}", "more than 2048"),
        ("http://example.org/", "https only"),
        ("ftp://example.org/", "https only"),
        ("https://ada@example.org/", "user name or a fragment"),
        ("https://example.org/#a", "user name or a fragment"),
        ("https://169.254.169.254/", "cloud keeps secrets"),
        ("https://metadata.google.internal/", "cloud keeps secrets"),
        ("https://10.0.0.5/", "private network"),
        ("https://localhost/", "private network"),
        ("http://127.0.0.1:8000/", "private network"),
        ("https://0x7f000001/", "private network"),
    ],
)
async def test_url_to_which_no_event_must_go_is_refused(
    books: SqliteStorage, vault: MasterVault, url: str, told: str
) -> None:
    with pytest.raises(BadInputError, match=told):
        await webhooks.add(books, vault, url)
    assert await webhooks.list_all(books) == []


def test_url_in_a_private_network_is_taken_if_it_is_allowed() -> None:
    for url in ("http://127.0.0.1:8000/a?b=c", "http://[::1]:8000", "https://10.0.0.5/"):
        assert webhooks.checked_url(url, allow_private=True) == url
    with pytest.raises(BadInputError, match="https only"):
        webhooks.checked_url("http://10.0.0.5/", allow_private=True)


async def test_endpoint_is_listed_with_what_it_gets(books: SqliteStorage, vault: MasterVault, ada: User) -> None:
    kinds = ("key.created", "balance.low")
    made = await webhooks.add(books, vault, URL, kinds=kinds, user="ada", allow_private=True)
    [details] = await webhooks.list_all(books)
    assert webhooks.as_fields(details) | {"created_at": ""} == {
        "id": made.endpoint.public_id,
        "url": URL,
        "user": "ada",
        "events": ["balance.low", "key.created"],
        "status": "enabled",
        "waiting": 0,
        "failed": 0,
        "allow_private": True,
        "failing_since": None,
        "old_secret_until": None,
        "created_at": "",
    }


async def test_unknown_kind_and_unknown_user_are_refused(books: SqliteStorage, vault: MasterVault) -> None:
    with pytest.raises(BadInputError, match=r"no kind of event .webhook\.test."):
        await webhooks.add(books, vault, URL, kinds=["balance.low", "webhook.test"])
    with pytest.raises(NotFoundError, match="no user 'nobody'"):
        await webhooks.add(books, vault, URL, user="nobody")


async def test_rotated_secret_and_the_old_one_both_sign_until_the_grace_is_over(
    books: SqliteStorage, vault: MasterVault, stopped_clock: StoppedClock
) -> None:
    old = await webhooks.add(books, vault, URL)
    new = await webhooks.rotate_secret(books, vault, old.endpoint.public_id, 60 * SECOND_US)
    ends_us = stopped_clock.us + 60 * SECOND_US
    assert webhooks.secrets_of(vault, new.endpoint, ends_us - 1) == [new.secret, old.secret]
    assert webhooks.secrets_of(vault, new.endpoint, ends_us) == [new.secret]
    at_once = await webhooks.rotate_secret(books, vault, old.endpoint.public_id, 0)
    assert webhooks.secrets_of(vault, at_once.endpoint, 0) == [at_once.secret]
    assert Webhook(at_once.secret) is not None and len({old.secret, new.secret, at_once.secret}) == 3


async def test_secrets_are_rewrapped_for_a_new_master_key_and_one_that_does_not_open_is_told(
    books: SqliteStorage, key: MasterKey, vault: MasterVault
) -> None:
    made = await webhooks.add(books, vault, URL)
    rotated = await webhooks.rotate_secret(books, vault, made.endpoint.public_id, SECOND_US)
    new_key = MasterKey(secrets.token_bytes(32))
    both, new = vault_of(new_key, key), vault_of(new_key)
    assert (await webhooks.count(books.reading(), both)) == (2, 2)
    assert await webhooks.rewrap(books, both) == 2
    assert (await webhooks.count(books.reading(), both)) == (2, 0)
    stored = await webhooks.find(books.reading(), made.endpoint.public_id)
    assert webhooks.secrets_of(new, stored, 0) == [rotated.secret, made.secret]
    with pytest.raises(FailureError, match=made.endpoint.public_id):
        await webhooks.rewrap(books, vault_of(MasterKey(secrets.token_bytes(32))))


async def test_disabled_endpoint_gives_up_what_waits_which_can_be_replayed_once_it_is_enabled(
    books: SqliteStorage, vault: MasterVault, stopped_clock: StoppedClock
) -> None:
    public_id = (await webhooks.add(books, vault, URL)).endpoint.public_id
    delivery = await delivery_of(books, public_id)
    with pytest.raises(ConflictError, match="waits to be sent anyway"):
        await webhooks.replay(books, delivery)
    assert (await webhooks.disable(books, public_id)).status is EndpointStatus.DISABLED
    [details] = await webhooks.list_all(books)
    assert (details.waiting, details.failed) == (0, 1)
    for attempt in (webhooks.replay(books, delivery), webhooks.replay_failed(books, 0, public_id)):
        with pytest.raises(ConflictError, match="disabled"):
            await attempt
    await webhooks.enable(books, public_id)
    assert await webhooks.replay_failed(books, stopped_clock.us + 1) == 0
    assert await webhooks.replay_failed(books, stopped_clock.us, public_id) == 1
    await webhooks.disable(books, public_id)
    await webhooks.enable(books, public_id)
    assert (await webhooks.replay(books, delivery)).error == "disabled"


async def test_removed_endpoint_and_its_deliveries_are_gone(books: SqliteStorage, vault: MasterVault) -> None:
    public_id = (await webhooks.add(books, vault, URL)).endpoint.public_id
    delivery = await delivery_of(books, public_id)
    await webhooks.remove(books, public_id)
    for gone in (webhooks.remove(books, public_id), webhooks.show(books, public_id, 1)):
        with pytest.raises(NotFoundError, match="no endpoint"):
            await gone
    with pytest.raises(NotFoundError, match="no delivery"):
        await webhooks.replay(books, delivery)
