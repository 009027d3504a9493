"""The rows of providers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from softix_proxy.domain.catalog.providers import Provider, ProviderKey, ProviderStatus, ProviderType
from softix_proxy.domain.core.errors import ConflictError, NotFoundError
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.engine import IntegrityError
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping, Stored, converted, selected, text_list

_KEY = RecordMapping(ProviderKey, "public_id", "label", "weight", sealed=Stored(("sealed_key",)))
_MORE_KEYS = f"""
(SELECT json_group_array(json_object('public_id', public_id, 'label', label, 'sealed', hex(sealed_key),
  'weight', weight)) FROM (SELECT {_KEY.select()} FROM provider_keys WHERE provider_id = providers.id ORDER BY id))"""


def _to_keys(text: str) -> tuple[ProviderKey, ...]:
    listed: list[dict[str, Any]] = json.loads(text)
    return tuple(ProviderKey(**{**one, "sealed": bytes.fromhex(one["sealed"])}) for one in listed)


PROVIDER = RecordMapping(
    Provider,
    "id",
    "public_id",
    "name",
    "base_url",
    "sealed_key",
    "on_hang_up",
    "created_at_us",
    "region",
    "key_weight",
    "unknown_members",
    type=converted(ProviderType),
    status=converted(ProviderStatus),
    more_keys=selected(_MORE_KEYS, read=_to_keys),
    version_in_url=converted(bool),
    drop_fields=text_list(),
    model_patterns=text_list(),
)
_CHANGEABLE = (
    "name",
    "base_url",
    "sealed_key",
    "on_hang_up",
    "status",
    "region",
    "key_weight",
    "version_in_url",
    "drop_fields",
    "model_patterns",
    "unknown_members",
)


class SqliteProviderStore:
    """Stores providers and their keys."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def add(self, provider: Provider) -> Provider:
        try:
            added = PROVIDER.row(provider, "public_id", "type", "created_at_us", *_CHANGEABLE)
            number = await self._session.insert("providers", added)
        except IntegrityError:
            raise _taken(provider) from None
        await self._write_keys(replace(provider, id=number))
        return await self.get(number)

    async def find(self, reference: str) -> Provider | None:
        row = await self._session.one(
            f"SELECT {PROVIDER.select()} FROM providers WHERE public_id = ?1 OR name = ?1 ORDER BY public_id = ?1 DESC",
            reference,
        )
        return PROVIDER.read(row) if row else None

    async def get(self, provider_id: int) -> Provider:
        row = await self._session.one(f"SELECT {PROVIDER.select()} FROM providers WHERE id = ?", provider_id)
        if row is None:
            raise NotFoundError(f"no provider with the number {provider_id}")
        return PROVIDER.read(row)

    async def list(self) -> Sequence[Provider]:
        return PROVIDER.read_all(await self._session.all(f"SELECT {PROVIDER.select()} FROM providers ORDER BY id"))

    async def update(self, provider: Provider) -> None:
        await self._write_keys(provider)
        try:
            await self._session.update("providers", PROVIDER.row(provider, *_CHANGEABLE), "id = ?", provider.id)
        except IntegrityError:
            raise _taken(provider) from None

    async def _write_keys(self, provider: Provider) -> None:
        """Writes the provider's keys. Its own row is written after them, so that its revision covers both."""
        await self._session.run("DELETE FROM provider_keys WHERE provider_id = ?", provider.id)
        for key in provider.more_keys:
            await self._session.insert("provider_keys", {**_KEY.row(key), "provider_id": provider.id})


def _taken(provider: Provider) -> ConflictError:
    return ConflictError(f"there is a provider {provider.name!r}", "choose another name, or: softix providers set-key")
