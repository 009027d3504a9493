from __future__ import annotations

import secrets
from typing import Any

import pytest

from softix_proxy.domain.access.users import User
from softix_proxy.domain.notices.webhook_events import EventKind
from softix_proxy.operations.notices import webhook_events, webhooks
from softix_proxy.storage.sqlite.unit import SqliteStorage
from softix_proxy.vault.master_key import MasterKey
from softix_proxy.vault.vault import KeyRing, MasterVault


@pytest.fixture
async def endpoint_id(books: SqliteStorage) -> int:
    key = MasterKey(secrets.token_bytes(32))
    vault = MasterVault(key, secrets.token_bytes(32), KeyRing([key]))
    return (await webhooks.add(books, vault, "https://example.org/softix")).endpoint.id


async def told(books: SqliteStorage, endpoint_id: int) -> list[tuple[str, dict[str, Any]]]:
    store = books.reading().webhooks
    events = [await store.event(each.delivery.event_id) for each in await store.deliveries(endpoint_id, 100)]
    return [(each.event.kind.value, dict(each.event.data)) for each in reversed(events)]


async def test_event_of_an_organisation_has_its_id_and_name_and_only_documented_fields(
    books: SqliteStorage, endpoint_id: int, ada: User
) -> None:
    data = {"key": "key_a", "key_name": "ci", "prompt": "must not go out"}
    async with books.writing() as unit:
        assert await webhook_events.enqueue(unit, EventKind.KEY_CREATED, data, user_id=ada.id) == 1
    owner = {"organisation": ada.public_id, "organisation_name": "ada"}
    assert await told(books, endpoint_id) == [("key.created", {**owner, "key": "key_a", "key_name": "ci"})]


async def test_event_of_a_known_cause_is_added_once_and_causes_of_two_kinds_are_two(
    books: SqliteStorage, endpoint_id: int
) -> None:
    async with books.writing() as unit:
        for kind in (EventKind.PERIOD_CLOSED, EventKind.PERIOD_CLOSED, EventKind.PROVIDER_FAILING):
            await webhook_events.enqueue(unit, kind, {}, once="a")
    assert [kind for kind, _ in await told(books, endpoint_id)] == ["period.closed", "provider.failing"]


async def test_door_for_alerts_of_abuse_takes_one_in_the_transaction_of_its_cause(
    books: SqliteStorage, endpoint_id: int, ada: User
) -> None:
    with pytest.raises(RuntimeError):
        async with books.writing() as unit:
            await webhook_events.enqueue(unit, EventKind.ABUSE_SUSPECTED, {"rule": "burst"}, user_id=ada.id)
            raise RuntimeError
    assert await told(books, endpoint_id) == []


async def test_event_that_nobody_wants_is_not_kept(books: SqliteStorage, ada: User) -> None:
    async with books.writing() as unit:
        assert await webhook_events.enqueue(unit, EventKind.KEY_CREATED, {}, user_id=ada.id) == 0
