"""The rows of messages that wait, were sent, or were given up."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from softix_proxy.domain.notices.contents import FIRST_SENT
from softix_proxy.domain.notices.outbox import Notice, NoticeKind, NoticeState, QueuedNotice
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping, converted

_NOTICE = RecordMapping(
    Notice,
    "email",
    "account_id",
    kind=converted(NoticeKind),
    values=converted(json.loads, lambda values: json.dumps(dict(values)), column="template_values"),
    once=converted(lambda text: text or "", lambda text: text or None),
    given={"links": {}},
)
QUEUED_NOTICE = RecordMapping(
    QueuedNotice,
    "id",
    "public_id",
    "sealed_links",
    "attempts",
    "next_at_us",
    "error",
    "created_at_us",
    "ended_at_us",
    state=converted(NoticeState),
    notice=_NOTICE,
)
_ADD = (
    "INSERT INTO outbox"
    " (public_id, sealed_links, next_at_us, created_at_us, email, account_id, kind, template_values, once)"
    " VALUES (?, ?, ?3, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (once) DO NOTHING RETURNING id"
)
_WAITING = "state = 'waiting'"
_RANK = " ".join(
    f"WHEN kind IN ({', '.join(repr(kind.value) for kind in sorted(kinds))}) THEN {rank}"
    for rank, kinds in enumerate(FIRST_SENT)
)
_IN_TURN = f"CASE {_RANK} ELSE {len(FIRST_SENT)} END, next_at_us, id"
_CLAIM = (
    "UPDATE outbox SET attempts = attempts + 1, next_at_us = ?2 WHERE id IN"
    f" (SELECT id FROM outbox WHERE {_WAITING} AND next_at_us <= ?1 ORDER BY {_IN_TURN} LIMIT ?3)"
    f" RETURNING {QUEUED_NOTICE.select()}"
)


class SqliteOutboxStore:
    """Stores messages to people."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def add(self, notice: Notice, public_id: str, sealed_links: bytes | None, now_us: int) -> bool:
        row = _NOTICE.row(notice)
        added = await self._session.all(
            _ADD,
            public_id,
            sealed_links,
            now_us,
            *(row[column] for column in ("email", "account_id", "kind", "template_values", "once")),
        )
        return bool(added)

    async def claim(self, now_us: int, until_us: int, limit: int) -> Sequence[QueuedNotice]:
        rows = await self._session.all(_CLAIM, now_us, until_us, limit)
        return sorted(QUEUED_NOTICE.read_all(rows), key=lambda queued: queued.id)

    async def sent(self, notice_id: int, now_us: int) -> None:
        wiped = {"state": NoticeState.SENT, "ended_at_us": now_us, "error": None, "sealed_links": None}
        wiped["template_values"] = "{}"
        await self._session.update("outbox", wiped, "id = ? AND state <> 'sent'", notice_id)

    async def failed(self, claimed: QueuedNotice, next_at_us: int | None, error: str, now_us: int) -> None:
        ended = next_at_us is None
        noted = {
            "error": error,
            "next_at_us": claimed.next_at_us if next_at_us is None else next_at_us,
            "state": NoticeState.GIVEN_UP if ended else NoticeState.WAITING,
            "ended_at_us": now_us if ended else None,
        }
        await self._session.update(
            "outbox", noted, f"id = ? AND attempts = ? AND {_WAITING}", claimed.id, claimed.attempts
        )

    async def next_at_us(self) -> int | None:
        [(next_at_us,)] = await self._session.all(f"SELECT min(next_at_us) FROM outbox WHERE {_WAITING}")
        return None if next_at_us is None else int(next_at_us)

    async def find(self, public_id: str) -> QueuedNotice | None:
        row = await self._session.one(f"SELECT {QUEUED_NOTICE.select()} FROM outbox WHERE public_id = ?", public_id)
        return QUEUED_NOTICE.read(row) if row else None

    async def list(self, state: NoticeState | None, limit: int) -> Sequence[QueuedNotice]:
        wanted = "state = coalesce(?, state) ORDER BY id DESC LIMIT ?"
        rows = await self._session.all(f"SELECT {QUEUED_NOTICE.select()} FROM outbox WHERE {wanted}", state, limit)
        return QUEUED_NOTICE.read_all(rows)

    async def counts(self) -> Mapping[NoticeState, int]:
        rows = await self._session.all("SELECT state, count(*) FROM outbox GROUP BY state")
        return {NoticeState(state): count for state, count in rows}

    async def oldest_waiting_us(self) -> int | None:
        [(oldest_us,)] = await self._session.all(f"SELECT min(created_at_us) FROM outbox WHERE {_WAITING}")
        return None if oldest_us is None else int(oldest_us)

    async def retry(self, notice_id: int, now_us: int) -> bool:
        waiting = {"state": NoticeState.WAITING, "ended_at_us": None, "next_at_us": now_us, "created_at_us": now_us}
        return bool(await self._session.update("outbox", waiting, "id = ? AND state = 'given-up'", notice_id))

    async def reseal(self, notice_id: int, before: bytes, after: bytes) -> bool:
        resealed = {"sealed_links": after}
        return bool(await self._session.update("outbox", resealed, "id = ? AND sealed_links = ?", notice_id, before))

    async def with_links(self) -> Sequence[QueuedNotice]:
        rows = await self._session.all(
            f"SELECT {QUEUED_NOTICE.select()} FROM outbox WHERE sealed_links IS NOT NULL ORDER BY id"
        )
        return QUEUED_NOTICE.read_all(rows)

    async def purge(self, ended_before_us: int) -> int:
        return await self._session.run("DELETE FROM outbox WHERE ended_at_us < ?", ended_before_us)

    async def forget(self, account_id: int, email: str) -> int:
        return await self._session.run(
            "DELETE FROM outbox WHERE account_id = ? OR lower(email) = lower(?)", account_id, email
        )
