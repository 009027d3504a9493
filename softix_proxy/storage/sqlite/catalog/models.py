"""The rows of models."""

from __future__ import annotations

import json
from collections.abc import Sequence

from softix_proxy.domain.catalog.models import Model, ModelStatus
from softix_proxy.domain.core.errors import ConflictError, NotFoundError
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.engine import IntegrityError
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping, converted, insert_listed

MODEL = RecordMapping(
    Model,
    "id",
    "name",
    "provider_id",
    "upstream_name",
    "context_tokens",
    "max_output_tokens",
    "created_at_us",
    status=converted(ModelStatus),
)
_CHANGEABLE = ("upstream_name", "context_tokens", "max_output_tokens", "status")
_ADDED = ("name", "provider_id", "created_at_us", *_CHANGEABLE)
# All models are added by one statement. Each statement would cost a call to the connection's thread under the write
# lock.
_ADD_ALL = f"{insert_listed('models', _ADDED)} RETURNING {MODEL.select()}"


class SqliteModelStore:
    """Stores models."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def add_all(self, models: Sequence[Model]) -> Sequence[Model]:
        rows = [MODEL.row(model, *_ADDED) for model in models]
        try:
            added = await self._session.all(_ADD_ALL, json.dumps(rows))
        except IntegrityError:
            names = models[0].name if len(models) == 1 else "one of these models"
            raise ConflictError(f"the provider has {names!r} already", "see: softix models list --all") from None
        return sorted(MODEL.read_all(added), key=lambda model: model.id)

    async def find(self, provider_id: int, name: str) -> Model | None:
        row = await self._session.one(
            f"SELECT {MODEL.select()} FROM models WHERE provider_id = ? AND name = ?", provider_id, name
        )
        return MODEL.read(row) if row else None

    async def named(self, name: str) -> Sequence[Model]:
        rows = await self._session.all(
            f"SELECT {MODEL.select()} FROM models WHERE name = ?"
            " AND provider_id NOT IN (SELECT id FROM providers WHERE status = 'removed') ORDER BY id",
            name,
        )
        return MODEL.read_all(rows)

    async def get(self, model_id: int) -> Model:
        row = await self._session.one(f"SELECT {MODEL.select()} FROM models WHERE id = ?", model_id)
        if row is None:
            raise NotFoundError(f"no model with the number {model_id}")
        return MODEL.read(row)

    async def list(self) -> Sequence[Model]:
        return MODEL.read_all(await self._session.all(f"SELECT {MODEL.select()} FROM models ORDER BY id"))

    async def update(self, model: Model) -> None:
        await self._session.update("models", MODEL.row(model, *_CHANGEABLE), "id = ?", model.id)

    async def disable_all(self, provider_id: int) -> None:
        await self._session.run(
            "UPDATE models SET status = 'disabled' WHERE provider_id = ? AND status <> 'disabled'", provider_id
        )
