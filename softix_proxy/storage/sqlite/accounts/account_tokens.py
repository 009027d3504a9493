"""The rows of tokens in mailed links. A token that was used or replaced is removed."""

from __future__ import annotations

from softix_proxy.domain.accounts.account_tokens import AccountToken, TokenPurpose
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping, converted

_TOKEN = RecordMapping(
    AccountToken,
    "digest",
    "account_id",
    "email",
    "created_at_us",
    "expires_at_us",
    "invitation_id",
    purpose=converted(TokenPurpose),
)
_USABLE = "digest = ? AND purpose = ? AND expires_at_us > ?"


class SqliteAccountTokenStore:
    """Stores the digests of tokens."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def add(self, token: AccountToken) -> None:
        if token.account_id is not None:
            await self._session.run(
                "DELETE FROM account_tokens WHERE account_id = ? AND purpose = ?", token.account_id, token.purpose
            )
        if token.invitation_id is not None:
            await self._session.run(
                "DELETE FROM account_tokens WHERE invitation_id = ? AND purpose = ?", token.invitation_id, token.purpose
            )
        await self._session.insert("account_tokens", _TOKEN.row(token))

    async def find(self, digest: bytes, purpose: TokenPurpose, now_us: int) -> AccountToken | None:
        row = await self._session.one(
            f"SELECT {_TOKEN.select()} FROM account_tokens WHERE {_USABLE}", digest, purpose, now_us
        )
        return _TOKEN.read(row) if row else None

    async def consume(self, digest: bytes, purpose: TokenPurpose, now_us: int) -> AccountToken | None:
        row = await self._session.one(
            f"DELETE FROM account_tokens WHERE {_USABLE} RETURNING {_TOKEN.select()}", digest, purpose, now_us
        )
        return _TOKEN.read(row) if row else None

    async def end_all(self, account_id: int) -> None:
        await self._session.run("DELETE FROM account_tokens WHERE account_id = ?", account_id)

    async def end_invitation(self, invitation_id: int) -> None:
        await self._session.run("DELETE FROM account_tokens WHERE invitation_id = ?", invitation_id)

    async def purge(self, now_us: int, most: int) -> int:
        return await self._session.run(
            "DELETE FROM account_tokens WHERE digest IN"
            " (SELECT digest FROM account_tokens WHERE expires_at_us <= ? LIMIT ?)",
            now_us,
            most,
        )
