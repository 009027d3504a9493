"""Models' rows."""

from __future__ import annotations

import json
from collections.abc import Sequence

from softix_proxy.domain.errors import ConflictError, NotFoundError
from softix_proxy.domain.models import Model
from softix_proxy.storage.database import DatabaseSession
from softix_proxy.storage.directory import MODEL, to_model
from softix_proxy.storage.engine_sqlite import IntegrityError

# One statement however many models: each would cost a hop to the connection's thread under the write lock.
_ADD_ALL = f"""
INSERT INTO models (name, provider_id, upstream_name, context_tokens, max_output_tokens, status, created_at_us)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6 FROM json_each(?)
RETURNING {MODEL}"""


class SqliteModelStore:
    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def add_all(self, models: Sequence[Model]) -> Sequence[Model]:
        rows = [
            (
                model.name,
                model.provider_id,
                model.upstream_name,
                model.context_tokens,
                model.max_output_tokens,
                model.status,
                model.created_at_us,
            )
            for model in models
        ]
        try:
            added = await self._session.all(_ADD_ALL, json.dumps(rows))
        except IntegrityError:
            names = models[0].name if len(models) == 1 else "one of these models"
            raise ConflictError(f"the provider has {names!r} already", "see: softix models list --all") from None
        return sorted(map(to_model, added), key=lambda model: model.id)

    async def find(self, provider_id: int, name: str) -> Model | None:
        row = await self._session.one(
            f"SELECT {MODEL} FROM models WHERE provider_id = ? AND name = ?", provider_id, name
        )
        return to_model(row) if row else None

    async def named(self, name: str) -> Sequence[Model]:
        rows = await self._session.all(
            f"SELECT {MODEL} FROM models WHERE name = ?"
            " AND provider_id NOT IN (SELECT id FROM providers WHERE status = 'removed') ORDER BY id",
            name,
        )
        return [to_model(row) for row in rows]

    async def get(self, model_id: int) -> Model:
        row = await self._session.one(f"SELECT {MODEL} FROM models WHERE id = ?", model_id)
        if row is None:
            raise NotFoundError(f"no model with the number {model_id}")
        return to_model(row)

    async def list(self) -> Sequence[Model]:
        return [to_model(row) for row in await self._session.all(f"SELECT {MODEL} FROM models ORDER BY id")]

    async def update(self, model: Model) -> None:
        await self._session.run(
            "UPDATE models SET upstream_name = ?, context_tokens = ?, max_output_tokens = ?, status = ? WHERE id = ?",
            model.upstream_name,
            model.context_tokens,
            model.max_output_tokens,
            model.status,
            model.id,
        )

    async def disable_all(self, provider_id: int) -> None:
        await self._session.run(
            "UPDATE models SET status = 'disabled' WHERE provider_id = ? AND status <> 'disabled'", provider_id
        )
