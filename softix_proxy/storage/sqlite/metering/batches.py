"""The rows of batches and files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from softix_proxy.domain.access.objects import AccountPlace, NewObject, ObjectRef
from softix_proxy.domain.metering.batches import PARKED_SLOT, Batch, BatchFamily, BatchSummary, KeptFile, OpenLine
from softix_proxy.storage.sqlite.core.database import DatabaseRow, DatabaseSession
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping, selected
from softix_proxy.storage.sqlite.write_path import object_statements as objects
from softix_proxy.storage.sqlite.write_path.statements import OPEN_INTENT

_BATCH = RecordMapping(
    Batch,
    "id",
    "family",
    "provider_id",
    "provider_key",
    "user_id",
    "key_id",
    "remote_id",
    "requests",
    "created_at_us",
    "metered_at_us",
    "input_file",
)
_FILE = RecordMapping(
    KeptFile, "provider_id", "provider_key", "user_id", "key_id", "remote_id", "created_at_us", "batch_id"
)
_FILES = """(
SELECT objects.id, kind, remote_id, user_id, key_id, batch_id, created_at_us, provider_id, provider_key
FROM objects JOIN object_accounts ON object_accounts.id = account_id)"""
"""The things that are kept, each with its account."""
_GONE_BATCH = """
UPDATE batches SET remote_id = remote_id || ' of ' || id
WHERE provider_id = ? AND remote_id = ? AND metered_at_us IS NOT NULL"""
"""Takes a name away from a batch that is over, because the provider has given it to a newer one."""
_SUMMARY = RecordMapping(
    BatchSummary,
    batch=selected(*(f"b.{column}" for column in _BATCH.columns), read=lambda *columns: _BATCH.read(columns)),
    provider=selected("providers.name"),
    user=selected("users.name"),
    open_requests=selected("count(intents.request_id)"),
    held_pico=selected("coalesce(sum(hold_pico), 0)"),
)
_LINE = RecordMapping(
    OpenLine,
    "custom_id",
    intent=OPEN_INTENT,
    hold_pico=selected("hold_pico"),
    widened_pico=selected("coalesce(widened_pico, 0)"),
)
_LATEST = "ORDER BY id DESC LIMIT ?"


class SqliteBatchStore:
    """Stores batches, and the files at providers."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def add(self, batch: Batch, lines: Mapping[str, int]) -> None:
        run = self._session.run
        await run(_GONE_BATCH, batch.provider_id, batch.remote_id)
        await self._session.insert("batches", _BATCH.row(batch))
        await self._record("batch", batch)
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
            f"SELECT {_BATCH.select()} FROM batches WHERE user_id = ? AND remote_id = ? {_LATEST}",
            user_id,
            remote_id,
            1,
        )
        return _BATCH.read(row) if row else None

    async def get(self, batch_id: int) -> Batch | None:
        row = await self._session.one(f"SELECT {_BATCH.select()} FROM batches WHERE id = ?", batch_id)
        return _BATCH.read(row) if row else None

    async def is_known(self, provider_id: int, remote_id: str) -> bool:
        found = await self._session.one(
            "SELECT 1 FROM batches WHERE provider_id = ? AND remote_id = ?", provider_id, remote_id
        )
        return found is not None

    async def page(
        self, user_id: int, family: BatchFamily, limit: int, cursor: str | None, ascending: bool = False
    ) -> Sequence[Batch]:
        found = await self._page(_BATCH.select(), "batches", "family = ?", (family,), user_id, limit, cursor, ascending)
        return _BATCH.read_all(found)

    async def unmetered(self) -> Sequence[Batch]:
        rows = await self._session.all(f"SELECT {_BATCH.select()} FROM batches WHERE metered_at_us IS NULL ORDER BY id")
        return _BATCH.read_all(rows)

    async def open_lines(self, batch_id: int) -> Sequence[OpenLine]:
        rows = await self._session.all(
            f"SELECT {_LINE.select()} FROM batch_lines JOIN intents USING (request_id) WHERE batch_id = ?", batch_id
        )
        return _LINE.read_all(rows)

    async def finish(self, batch_id: int, now_us: int) -> None:
        await self._session.update("batches", {"metered_at_us": now_us}, "id = ?", batch_id)
        await self._session.run("DELETE FROM batch_lines WHERE batch_id = ?", batch_id)

    async def summaries(self, *, all_of_them: bool) -> Sequence[BatchSummary]:
        rows = await self._session.all(
            f"SELECT {_SUMMARY.select()} FROM batches AS b"
            " JOIN providers ON providers.id = b.provider_id JOIN users ON users.id = b.user_id"
            " LEFT JOIN batch_lines ON batch_id = b.id LEFT JOIN intents USING (request_id)"
            " WHERE ? OR metered_at_us IS NULL GROUP BY b.id ORDER BY b.id DESC",
            all_of_them,
        )
        return _SUMMARY.read_all(rows)

    async def keep_file(self, file: KeptFile) -> None:
        await self._record("file", file)

    async def _record(self, kind: str, stored: Batch | KeptFile) -> None:
        place = AccountPlace(stored.provider_id, stored.provider_key)
        ref = ObjectRef(kind, stored.remote_id)
        new = NewObject(place, ref, stored.user_id, stored.key_id, stored.created_at_us)
        await self._session.run(objects.ADD_ACCOUNT, *place)
        for statement in objects.recording(new, stored.batch_id if isinstance(stored, KeptFile) else None):
            await self._session.run(statement.text, *statement.values)

    async def find_file(self, user_id: int, remote_id: str) -> KeptFile | None:
        row = await self._session.one(
            f"SELECT {_FILE.select()} FROM {_FILES} WHERE user_id = ? AND kind = 'file' AND remote_id = ? {_LATEST}",
            user_id,
            remote_id,
            1,
        )
        return _FILE.read(row) if row else None

    async def page_of_files(
        self, user_id: int, limit: int, cursor: str | None, ascending: bool = False
    ) -> Sequence[KeptFile]:
        found = await self._page(_FILE.select(), _FILES, "kind = 'file'", (), user_id, limit, cursor, ascending)
        return _FILE.read_all(found)

    async def drop_file(self, file: KeptFile) -> None:
        await self._session.run(
            objects.REMOVE, file.remote_id, "file", file.provider_id, file.provider_key, file.user_id
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
        after = (
            ""
            if cursor is None
            else f"AND id {way} (SELECT id FROM {table} WHERE user_id = ? AND {rule} AND remote_id = ?)"
        )
        place = () if cursor is None else (user_id, *values, cursor)
        return await self._session.all(
            f"SELECT {columns} FROM {table} WHERE user_id = ? AND {rule} {after} ORDER BY id {order} LIMIT ?",
            user_id,
            *values,
            *place,
            limit,
        )
