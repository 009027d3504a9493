"""The rows of identities at OpenID providers."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.domain.accounts.federated_identities import FederatedIdentity
from softix_proxy.domain.core.errors import ConflictError
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.engine import IntegrityError
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping

FEDERATED_IDENTITY = RecordMapping(FederatedIdentity, "issuer", "subject", "account_id", "created_at_us", "used_at_us")


class SqliteFederatedIdentityStore:
    """Stores who is who at OpenID providers."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def add(self, identity: FederatedIdentity) -> None:
        try:
            await self._session.insert("federated_identities", FEDERATED_IDENTITY.row(identity))
        except IntegrityError:
            raise ConflictError(
                "this identity belongs to an account already", "sign in by it, and remove it there first"
            ) from None

    async def find(self, issuer: str, subject: str) -> FederatedIdentity | None:
        row = await self._session.one(
            f"SELECT {FEDERATED_IDENTITY.select()} FROM federated_identities WHERE issuer = ? AND subject = ?",
            issuer,
            subject,
        )
        return FEDERATED_IDENTITY.read(row) if row else None

    async def of_account(self, account_id: int) -> Sequence[FederatedIdentity]:
        return FEDERATED_IDENTITY.read_all(
            await self._session.all(
                f"SELECT {FEDERATED_IDENTITY.select()} FROM federated_identities WHERE account_id = ?"
                " ORDER BY created_at_us",
                account_id,
            )
        )

    async def use(self, identity: FederatedIdentity, now_us: int) -> None:
        await self._session.update(
            "federated_identities",
            {"used_at_us": now_us},
            "issuer = ? AND subject = ?",
            identity.issuer,
            identity.subject,
        )

    async def remove(self, account_id: int, issuer: str) -> bool:
        return bool(
            await self._session.run(
                "DELETE FROM federated_identities WHERE account_id = ? AND issuer = ?", account_id, issuer
            )
        )
