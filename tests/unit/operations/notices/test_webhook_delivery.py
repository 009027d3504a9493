from __future__ import annotations

import json
import secrets
from collections.abc import Mapping

from support.books import StoppedClock

from softix_proxy import __version__
from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.notices.webhook_events import EventKind, StoredEvent, WebhookEvent
from softix_proxy.domain.ports.webhook_post import WebhookAnswer, WebhookFault
from softix_proxy.operations.notices import webhook_delivery, webhook_events, webhooks
from softix_proxy.storage.sqlite.unit import SqliteStorage
from softix_proxy.vault.master_key import MasterKey
from softix_proxy.vault.vault import KeyRing, MasterVault


class Post:
    """Answers as it is told, and keeps what it was given."""

    def __init__(self, *answers: WebhookAnswer) -> None:
        self.answers = list(answers)
        self.sent: list[tuple[str, Mapping[str, str], bytes, bool]] = []

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, *, allow_private: bool) -> WebhookAnswer:
        self.sent.append((url, headers, body, allow_private))
        return self.answers.pop(0) if self.answers else WebhookAnswer(204, None)


def new_vault() -> MasterVault:
    master = MasterKey(secrets.token_bytes(32))
    return MasterVault(master, secrets.token_bytes(32), KeyRing([master]))


def test_body_is_that_of_the_specification() -> None:
    event = WebhookEvent(EventKind.KEY_CREATED, {"organisation_name": "École", "rows": 3})
    body = webhook_delivery.body_of(StoredEvent(1, "evt_a", event, 1_800_000_000_000_001))
    told = '{"type":"key.created","timestamp":"2027-01-15T08:00:00.000001Z"'
    assert body.decode() == told + ',"data":{"organisation_name":"École","rows":3}}'


async def test_attempt_is_signed_with_its_own_time_and_notes_what_came_of_it(
    books: SqliteStorage, stopped_clock: StoppedClock
) -> None:
    vault, post = new_vault(), Post(WebhookAnswer(503, WebhookFault.REFUSED))
    made = await webhooks.add(books, vault, "https://example.org/softix")
    async with books.writing() as unit:
        await webhook_events.enqueue(unit, EventKind.PERIOD_CLOSED, {"period": "2026-10"})
        claimed = await unit.webhooks.claim(made.endpoint.id, stopped_clock.us, stopped_clock.us + 1)
    assert claimed is not None
    done = await webhook_delivery.attempt(books, vault, post, claimed, 1000)
    assert done.answer.status_code == 503 and not done.has_ended
    stored = await books.reading().webhooks.find_delivery(claimed.public_id)
    assert stored is not None and stored.next_at_us == stopped_clock.us + 5_500_000, "five seconds, and a tenth"
    [(url, headers, body, allow_private)] = post.sent
    assert (url, allow_private, headers["user-agent"]) == (made.endpoint.url, False, f"softix-proxy/{__version__}")
    assert headers["webhook-timestamp"] == str(stopped_clock.us // SECOND_US) and json.loads(body)["data"]
    assert headers["webhook-signature"].startswith("v1,")
    assert (await webhook_delivery.attempt(books, vault, post, claimed, 0)).has_ended


async def test_attempt_to_an_endpoint_that_was_removed_sends_nothing(
    books: SqliteStorage, stopped_clock: StoppedClock
) -> None:
    vault, post = new_vault(), Post()
    made = await webhooks.add(books, vault, "https://example.org/softix")
    async with books.writing() as unit:
        await webhook_events.enqueue(unit, EventKind.PERIOD_CLOSED, {})
        claimed = await unit.webhooks.claim(made.endpoint.id, stopped_clock.us, stopped_clock.us + 1)
    assert claimed is not None
    await webhooks.remove(books, made.endpoint.public_id)
    done = await webhook_delivery.attempt(books, vault, post, claimed, 0)
    assert done.answer.fault is WebhookFault.DISABLED and not post.sent


async def test_test_is_not_stored_and_goes_to_a_disabled_endpoint_too(books: SqliteStorage) -> None:
    vault, post = new_vault(), Post()
    public_id = (await webhooks.add(books, vault, "https://example.org/softix")).endpoint.public_id
    await webhooks.disable(books, public_id)
    event, answer = await webhook_delivery.send_test(books, vault, post, public_id)
    assert answer.status_code == 204 and post.sent[0][1]["webhook-id"] == event
    assert (await webhooks.show(books, public_id, 9))[1] == []
