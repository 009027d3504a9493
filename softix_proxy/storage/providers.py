"""Providers' rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from softix_proxy.domain.errors import ConflictError, NotFoundError
from softix_proxy.domain.providers import Provider
from softix_proxy.storage.database import DatabaseSession
from softix_proxy.storage.directory import PROVIDER, to_provider
from softix_proxy.storage.engine_sqlite import IntegrityError


class SqliteProviderStore:
    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def add(self, provider: Provider) -> Provider:
        try:
            number = await self._session.run(
                "INSERT INTO providers (public_id, name, type, base_url, sealed_key, on_hang_up, status, created_at_us,"
                " region, key_weight, version_in_url, drop_fields) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                provider.public_id,
                provider.name,
                provider.type,
                provider.base_url,
                provider.sealed_key,
                provider.on_hang_up,
                provider.status,
                provider.created_at_us,
                provider.region,
                provider.key_weight,
                provider.version_in_url,
                json.dumps(provider.drop_fields),
            )
        except IntegrityError:
            raise _taken(provider) from None
        await self._write_keys(replace(provider, id=number))
        return await self.get(number)

    async def find(self, reference: str) -> Provider | None:
        row = await self._session.one(
            f"SELECT {PROVIDER} FROM providers WHERE public_id = ?1 OR name = ?1 ORDER BY public_id = ?1 DESC",
            reference,
        )
        return to_provider(row) if row else None

    async def get(self, provider_id: int) -> Provider:
        row = await self._session.one(f"SELECT {PROVIDER} FROM providers WHERE id = ?", provider_id)
        if row is None:
            raise NotFoundError(f"no provider with the number {provider_id}")
        return to_provider(row)

    async def list(self) -> Sequence[Provider]:
        return [to_provider(row) for row in await self._session.all(f"SELECT {PROVIDER} FROM providers ORDER BY id")]

    async def update(self, provider: Provider) -> None:
        await self._write_keys(provider)
        try:
            await self._session.run(
                "UPDATE providers SET name = ?, base_url = ?, sealed_key = ?, on_hang_up = ?, status = ?, region = ?,"
                " key_weight = ?, version_in_url = ?, drop_fields = ? WHERE id = ?",
                provider.name,
                provider.base_url,
                provider.sealed_key,
                provider.on_hang_up,
                provider.status,
                provider.region,
                provider.key_weight,
                provider.version_in_url,
                json.dumps(provider.drop_fields),
                provider.id,
            )
        except IntegrityError:
            raise _taken(provider) from None

    async def _write_keys(self, provider: Provider) -> None:
        """The provider's own row is written after them, so that its revision tells of both."""
        await self._session.run("DELETE FROM provider_keys WHERE provider_id = ?", provider.id)
        for key in provider.more_keys:
            await self._session.run(
                "INSERT INTO provider_keys (public_id, provider_id, label, sealed_key, weight) VALUES (?, ?, ?, ?, ?)",
                key.public_id,
                provider.id,
                key.label,
                key.sealed,
                key.weight,
            )


def _taken(provider: Provider) -> ConflictError:
    return ConflictError(f"there is a provider {provider.name!r}", "choose another name, or: softix providers set-key")
