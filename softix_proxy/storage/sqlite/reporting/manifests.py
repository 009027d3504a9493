"""The chain of manifests: the signed descriptions, in their order."""

from __future__ import annotations

import json
from collections.abc import Sequence

from softix_proxy.domain.core.errors import ConflictError
from softix_proxy.domain.reporting.manifests import Manifest, canonical
from softix_proxy.storage.sqlite.core.database import DatabaseRow, DatabaseSession
from softix_proxy.storage.sqlite.core.engine import IntegrityError

_MANIFEST = "SELECT head, signature FROM manifests"


class SqliteManifestStore:
    """Stores the chain of manifests."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def list(self) -> Sequence[Manifest]:
        return [_to_manifest(row) for row in await self._session.all(f"{_MANIFEST} ORDER BY id")]

    async def last(self) -> Manifest | None:
        row = await self._session.one(f"{_MANIFEST} ORDER BY id DESC LIMIT 1")
        return _to_manifest(row) if row else None

    async def with_body(self, body_sha256: str) -> Manifest | None:
        row = await self._session.one(
            f"{_MANIFEST} WHERE body_sha256 = ? ORDER BY id DESC LIMIT 1", bytes.fromhex(body_sha256)
        )
        return _to_manifest(row) if row else None

    async def add(self, manifest: Manifest) -> None:
        try:
            await self._session.insert(
                "manifests",
                {
                    "id": manifest.number,
                    "body_sha256": bytes.fromhex(manifest.body_sha256),
                    "head": canonical(manifest.head()).decode(),
                    "signature": manifest.signature,
                },
            )
        except IntegrityError:
            raise ConflictError(f"manifest {manifest.number} is not the next one", "run the command again") from None


def _to_manifest(row: DatabaseRow) -> Manifest:
    head, signature = row
    return Manifest.of(json.loads(head), signature)
