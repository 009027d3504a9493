"""Batches' and files' rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from softix_proxy.domain.batches import PARKED_SLOT, Batch, BatchFamily, BatchSummary, KeptFile, OpenLine
from softix_proxy.storage.database import DatabaseRow, DatabaseSession
from softix_proxy.storage.journal import INTENT, to_intent

_BATCH = "id, family, provider_id, provider_key, user_id, key_id, remote_id, requests, created_at_us, metered_at_us"
_FILE = "provider_id, provider_key, user_id, key_id, remote_id, created_at_us, batch_id"
_LATEST = "ORDER BY id DESC LIMIT ?"


class SqliteBatchStore:
    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def add(self, batch: Batch, lines: Mapping[str, int]) -> None:
        run = self._session.run
        await run(
            f"INSERT INTO batches ({_BATCH}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            batch.id,
            batch.family,
            batch.provider_id,
            batch.provider_key,
            batch.user_id,
            batch.key_id,
            batch.remote_id,
            batch.requests,
            batch.created_at_us,
            batch.metered_at_us,
        )
        await run(
            "INSERT INTO batch_lines (batch_id, custom_id, request_id) SELECT ?, key, value FROM json_each(?)",
            batch.id,
            json.dumps(lines),
        )
        parked = await run(
            "UPDATE intents SET slot = ? WHERE request_id IN (SELECT request_id FROM batch_lines WHERE batch_id = ?)",
            PARKED_SLOT,
            batch.id,
        )
        await run("UPDATE key_states SET open_requests = open_requests - ? WHERE key_id = ?", parked, batch.key_id)

    async def find(self, user_id: int, remote_id: str) -> Batch | None:
        row = await self._session.one(
            f"SELECT {_BATCH} FROM batches WHERE user_id = ? AND remote_id = ? {_LATEST}", user_id, remote_id, 1
        )
        return Batch(*row) if row else None

    async def get(self, batch_id: int) -> Batch | None:
        row = await self._session.one(f"SELECT {_BATCH} FROM batches WHERE id = ?", batch_id)
        return Batch(*row) if row else None

    async def is_known(self, provider_id: int, remote_id: str) -> bool:
        found = await self._session.one(
            "SELECT 1 FROM batches WHERE provider_id = ? AND remote_id = ?", provider_id, remote_id
        )
        return found is not None

    async def page(
        self, user_id: int, family: BatchFamily, limit: int, cursor: str | None, ascending: bool = False
    ) -> Sequence[Batch]:
        found = await self._page(_BATCH, "batches", "family = ?", (family,), user_id, limit, cursor, ascending)
        return [Batch(*row) for row in found]

    async def unmetered(self) -> Sequence[Batch]:
        rows = await self._session.all(f"SELECT {_BATCH} FROM batches WHERE metered_at_us IS NULL ORDER BY id")
        return [Batch(*row) for row in rows]

    async def open_lines(self, batch_id: int) -> Sequence[OpenLine]:
        rows = await self._session.all(
            f"SELECT custom_id, {INTENT} FROM batch_lines JOIN intents USING (request_id) WHERE batch_id = ?", batch_id
        )
        return [OpenLine(custom_id, *to_intent(intent)) for custom_id, *intent in rows]

    async def finish(self, batch_id: int, now_us: int) -> None:
        await self._session.run("UPDATE batches SET metered_at_us = ? WHERE id = ?", now_us, batch_id)
        await self._session.run("DELETE FROM batch_lines WHERE batch_id = ?", batch_id)

    async def summaries(self, *, all_of_them: bool) -> Sequence[BatchSummary]:
        columns = ", ".join(f"b.{name}" for name in _BATCH.split(", "))
        rows = await self._session.all(
            f"SELECT {columns}, providers.name, users.name, count(intents.request_id), coalesce(sum(hold_pico), 0)"
            " FROM batches AS b JOIN providers ON providers.id = b.provider_id JOIN users ON users.id = b.user_id"
            " LEFT JOIN batch_lines ON batch_id = b.id LEFT JOIN intents USING (request_id)"
            " WHERE ? OR metered_at_us IS NULL GROUP BY b.id ORDER BY b.id DESC",
            all_of_them,
        )
        return [BatchSummary(Batch(*row[:10]), *row[10:]) for row in rows]

    async def keep_file(self, file: KeptFile) -> None:
        await self._session.run(
            f"INSERT INTO files ({_FILE}) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            file.provider_id,
            file.provider_key,
            file.user_id,
            file.key_id,
            file.remote_id,
            file.created_at_us,
            file.batch_id,
        )

    async def find_file(self, user_id: int, remote_id: str) -> KeptFile | None:
        row = await self._session.one(
            f"SELECT {_FILE} FROM files WHERE user_id = ? AND remote_id = ? {_LATEST}", user_id, remote_id, 1
        )
        return KeptFile(*row) if row else None

    async def page_of_files(
        self, user_id: int, limit: int, cursor: str | None, ascending: bool = False
    ) -> Sequence[KeptFile]:
        found = await self._page(_FILE, "files", "true", (), user_id, limit, cursor, ascending)
        return [KeptFile(*row) for row in found]

    async def drop_file(self, file: KeptFile) -> None:
        await self._session.run(
            "DELETE FROM files WHERE provider_id = ? AND remote_id = ?", file.provider_id, file.remote_id
        )

    async def _page(
        self,
        columns: str,
        table: str,
        rule: str,
        values: tuple[object, ...],
        user_id: int,
        limit: int,
        cursor: str | None,
        ascending: bool,
    ) -> Sequence[DatabaseRow]:
        way, order = (">", "ASC") if ascending else ("<", "DESC")
        after = "" if cursor is None else f"AND id {way} (SELECT id FROM {table} WHERE user_id = ? AND remote_id = ?)"
        place = () if cursor is None else (user_id, cursor)
        return await self._session.all(
            f"SELECT {columns} FROM {table} WHERE user_id = ? AND {rule} {after} ORDER BY id {order} LIMIT ?",
            user_id,
            *values,
            *place,
            limit,
        )
