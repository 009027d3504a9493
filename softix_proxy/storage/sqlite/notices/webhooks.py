"""The rows of endpoints, events and deliveries."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from softix_proxy.domain.core.errors import NotFoundError
from softix_proxy.domain.core.ids import new_public_id
from softix_proxy.domain.notices.webhook_events import EventKind, StoredEvent, WebhookEvent
from softix_proxy.domain.notices.webhooks import (
    Delivery,
    DeliveryState,
    EndpointStatus,
    ListedDelivery,
    WebhookEndpoint,
)
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping, converted, selected

_CHANGEABLE = (
    "kinds",
    "status",
    "sealed_secret",
    "sealed_old_secret",
    "old_secret_until_us",
    "failing_since_us",
)
ENDPOINT = RecordMapping(
    WebhookEndpoint,
    "id",
    "public_id",
    "url",
    "user_id",
    "sealed_secret",
    "sealed_old_secret",
    "old_secret_until_us",
    "failing_since_us",
    "created_at_us",
    kinds=converted(lambda text: tuple(EventKind(kind) for kind in json.loads(text)), json.dumps),
    status=converted(EndpointStatus),
    allow_private=converted(bool),
)
_EVENT = RecordMapping(
    WebhookEvent,
    "user_id",
    kind=converted(EventKind),
    data=converted(json.loads, lambda data: json.dumps(dict(data))),
    once=converted(lambda text: text or "", lambda text: text or None),
)
STORED_EVENT = RecordMapping(StoredEvent, "id", "public_id", "at_us", event=_EVENT)
_DELIVERY_COLUMNS = (
    "id",
    "public_id",
    "event_id",
    "endpoint_id",
    "attempts",
    "earlier_attempts",
    "began_at_us",
    "next_at_us",
    "status_code",
    "error",
    "ended_at_us",
)
DELIVERY = RecordMapping(Delivery, *_DELIVERY_COLUMNS, state=converted(DeliveryState))
_OF_DELIVERY = ", ".join(f"d.{column} AS {column}" for column in (*_DELIVERY_COLUMNS, "state"))
_LISTED = RecordMapping(
    ListedDelivery,
    delivery=DELIVERY,
    event_public_id=selected("event_public_id"),
    kind=selected("kind", read=EventKind),
    at_us=selected("at_us"),
)
_ENABLED = "status = 'enabled'"
_WAITING = "state = 'waiting'"
_HEARS = (
    f"{_ENABLED} AND (user_id IS NULL OR user_id = ?2)"
    " AND (kinds = '[]' OR EXISTS (SELECT 1 FROM json_each(kinds) WHERE value = ?1))"
)
_CLAIM = (
    "UPDATE webhook_deliveries SET attempts = attempts + 1, next_at_us = ?3 WHERE id IN"
    f" (SELECT id FROM webhook_deliveries WHERE {_WAITING} AND endpoint_id = ?1 AND next_at_us <= ?2"
    f" AND endpoint_id IN (SELECT id FROM webhook_endpoints WHERE {_ENABLED}) ORDER BY next_at_us, id LIMIT 1)"
    f" RETURNING {DELIVERY.select()}"
)
_DUE = (
    f"SELECT id FROM webhook_endpoints WHERE {_ENABLED} AND EXISTS (SELECT 1 FROM webhook_deliveries"
    f" WHERE {_WAITING} AND endpoint_id = webhook_endpoints.id AND next_at_us <= ?) ORDER BY id"
)
_LIST = (
    f"SELECT {_LISTED.select()} FROM (SELECT {_OF_DELIVERY}, e.public_id AS event_public_id, e.kind AS kind,"
    " e.at_us AS at_us FROM webhook_deliveries AS d JOIN webhook_events AS e ON e.id = d.event_id"
    " WHERE d.endpoint_id = ? ORDER BY d.id DESC LIMIT ?)"
)
_AGAIN = (
    "UPDATE webhook_deliveries SET state = 'waiting', earlier_attempts = attempts, began_at_us = ?1, next_at_us = ?1,"
    " ended_at_us = NULL WHERE"
)


class SqliteWebhookStore:
    """Stores endpoints, events and deliveries."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def any_enabled(self) -> bool:
        return bool(await self._session.one(f"SELECT id FROM webhook_endpoints WHERE {_ENABLED} LIMIT 1"))

    async def add(self, endpoint: WebhookEndpoint) -> WebhookEndpoint:
        row = ENDPOINT.row(endpoint)
        del row["id"]
        number = await self._session.insert("webhook_endpoints", row)
        added = await self.get(number)
        assert added is not None  # noqa: S101
        return added

    async def update(self, endpoint: WebhookEndpoint) -> None:
        await self._session.update("webhook_endpoints", ENDPOINT.row(endpoint, *_CHANGEABLE), "id = ?", endpoint.id)

    async def remove(self, endpoint_id: int) -> None:
        await self._session.run("DELETE FROM webhook_deliveries WHERE endpoint_id = ?", endpoint_id)
        await self._session.run("DELETE FROM webhook_endpoints WHERE id = ?", endpoint_id)

    async def find(self, public_id: str) -> WebhookEndpoint | None:
        return await self._endpoint("public_id = ?", public_id)

    async def get(self, endpoint_id: int) -> WebhookEndpoint | None:
        return await self._endpoint("id = ?", endpoint_id)

    async def _endpoint(self, where: str, value: object) -> WebhookEndpoint | None:
        row = await self._session.one(f"SELECT {ENDPOINT.select()} FROM webhook_endpoints WHERE {where}", value)
        return ENDPOINT.read(row) if row else None

    async def list(self) -> Sequence[WebhookEndpoint]:
        rows = await self._session.all(f"SELECT {ENDPOINT.select()} FROM webhook_endpoints ORDER BY id")
        return ENDPOINT.read_all(rows)

    async def is_heard(self, kind: EventKind, user_id: int | None) -> bool:
        found = await self._session.one(f"SELECT id FROM webhook_endpoints WHERE {_HEARS} LIMIT 1", kind, user_id)
        return found is not None

    async def enqueue(self, event: WebhookEvent, public_id: str, now_us: int) -> int:
        heard = await self._session.all(
            f"SELECT id FROM webhook_endpoints WHERE {_HEARS} ORDER BY id", event.kind, event.user_id
        )
        if not heard:
            return 0
        row = _EVENT.row(event)
        added = await self._session.all(
            "INSERT INTO webhook_events (public_id, at_us, kind, user_id, data, once) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (once) DO NOTHING RETURNING id",
            public_id,
            now_us,
            *(row[column] for column in ("kind", "user_id", "data", "once")),
        )
        if not added:
            return 0
        for (endpoint_id,) in heard:
            told = {"public_id": new_public_id("whd"), "event_id": added[0][0], "endpoint_id": endpoint_id}
            await self._session.insert("webhook_deliveries", told | {"began_at_us": now_us, "next_at_us": now_us})
        return len(heard)

    async def due(self, now_us: int) -> Sequence[int]:
        return [row[0] for row in await self._session.all(_DUE, now_us)]

    async def claim(self, endpoint_id: int, now_us: int, until_us: int) -> Delivery | None:
        row = await self._session.one(_CLAIM, endpoint_id, now_us, until_us)
        return DELIVERY.read(row) if row else None

    async def event(self, event_id: int) -> StoredEvent:
        row = await self._session.one(f"SELECT {STORED_EVENT.select()} FROM webhook_events WHERE id = ?", event_id)
        if row is None:
            raise NotFoundError(f"no event with the number {event_id}")
        return STORED_EVENT.read(row)

    async def delivered(self, claimed: Delivery, status_code: int, now_us: int) -> None:
        noted = {"state": DeliveryState.DELIVERED, "ended_at_us": now_us, "error": None, "status_code": status_code}
        await self._session.update("webhook_deliveries", noted, "id = ? AND state <> 'delivered'", claimed.id)
        well = {"failing_since_us": None}
        await self._session.update(
            "webhook_endpoints", well, "id = ? AND failing_since_us IS NOT NULL", claimed.endpoint_id
        )

    async def failed(
        self, claimed: Delivery, next_at_us: int | None, error: str, status_code: int | None, now_us: int
    ) -> bool:
        ended = next_at_us is None
        noted = {
            "error": error,
            "status_code": status_code,
            "next_at_us": claimed.next_at_us if next_at_us is None else next_at_us,
            "state": DeliveryState.FAILED if ended else DeliveryState.WAITING,
            "ended_at_us": now_us if ended else None,
        }
        where = f"id = ? AND attempts = ? AND {_WAITING}"
        if not await self._session.update("webhook_deliveries", noted, where, claimed.id, claimed.attempts):
            return False
        if ended:
            failing = {"failing_since_us": now_us}
            await self._session.update(
                "webhook_endpoints", failing, "id = ? AND failing_since_us IS NULL", claimed.endpoint_id
            )
        return True

    async def give_up_waiting(self, endpoint_id: int, error: str, now_us: int) -> int:
        noted = {"state": DeliveryState.FAILED, "ended_at_us": now_us, "error": error}
        return await self._session.update("webhook_deliveries", noted, f"endpoint_id = ? AND {_WAITING}", endpoint_id)

    async def deliveries(self, endpoint_id: int, limit: int) -> Sequence[ListedDelivery]:
        return _LISTED.read_all(await self._session.all(_LIST, endpoint_id, limit))

    async def find_delivery(self, public_id: str) -> Delivery | None:
        row = await self._session.one(
            f"SELECT {DELIVERY.select()} FROM webhook_deliveries WHERE public_id = ?", public_id
        )
        return DELIVERY.read(row) if row else None

    async def replay(self, delivery_id: int, now_us: int) -> None:
        await self._session.run(f"{_AGAIN} id = ?2", now_us, delivery_id)

    async def replay_failed(self, endpoint_id: int | None, since_us: int, now_us: int) -> int:
        return await self._session.run(
            f"{_AGAIN} state = 'failed' AND endpoint_id = coalesce(?2, endpoint_id)"
            f" AND endpoint_id IN (SELECT id FROM webhook_endpoints WHERE {_ENABLED})"
            " AND event_id IN (SELECT id FROM webhook_events WHERE at_us >= ?3)",
            now_us,
            endpoint_id,
            since_us,
        )

    async def counts(self, endpoint_id: int | None = None) -> Mapping[DeliveryState, int]:
        rows = await self._session.all(
            "SELECT state, count(*) FROM webhook_deliveries WHERE endpoint_id = coalesce(?, endpoint_id)"
            " GROUP BY state",
            endpoint_id,
        )
        return {DeliveryState(state): count for state, count in rows}

    async def waiting(self) -> int:
        [(count,)] = await self._session.all(f"SELECT count(*) FROM webhook_deliveries WHERE {_WAITING}")
        return int(count)

    async def overdue(self, before_us: int) -> int:
        [(count,)] = await self._session.all(
            f"SELECT count(*) FROM webhook_deliveries WHERE {_WAITING} AND next_at_us < ?"
            f" AND endpoint_id IN (SELECT id FROM webhook_endpoints WHERE {_ENABLED})",
            before_us,
        )
        return int(count)

    async def reseal(self, endpoint_id: int, before: bytes, after: bytes) -> bool:
        changed = 0
        for column in ("sealed_secret", "sealed_old_secret"):
            changed += await self._session.update(
                "webhook_endpoints", {column: after}, f"id = ? AND {column} = ?", endpoint_id, before
            )
        return bool(changed)

    async def purge(self, ended_before_us: int) -> int:
        purged = await self._session.run("DELETE FROM webhook_deliveries WHERE ended_at_us < ?", ended_before_us)
        await self._session.run(
            "DELETE FROM webhook_events WHERE at_us < ? AND id NOT IN (SELECT event_id FROM webhook_deliveries)",
            ended_before_us,
        )
        return purged
