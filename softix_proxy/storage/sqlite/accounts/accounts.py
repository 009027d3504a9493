"""The rows of accounts, and of the policies that people accepted."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.domain.accounts.accounts import Account, AccountStatus, PolicyAcceptance, folded_email
from softix_proxy.domain.core.errors import ConflictError, NotFoundError
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.engine import IntegrityError
from softix_proxy.storage.sqlite.core.paging import is_before
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping, converted

ACCOUNT = RecordMapping(
    Account,
    "id",
    "public_id",
    "email",
    "display_name",
    "role",
    "created_at_us",
    "verified_at_us",
    "age_attested_at_us",
    status=converted(AccountStatus),
)
_ACCEPTANCE = RecordMapping(PolicyAcceptance, "account_id", "policy", "version", "accepted_at_us")
_SELECT = f"SELECT {ACCOUNT.select()} FROM login_accounts"


class SqliteAccountStore:
    """Stores accounts."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def add(self, account: Account) -> Account:
        try:
            number = await self._session.insert("login_accounts", _columns(account))
        except IntegrityError:
            raise _taken() from None
        return await self.get(number)

    async def get(self, account_id: int) -> Account:
        row = await self._session.one(f"{_SELECT} WHERE id = ?", account_id)
        if row is None:
            raise NotFoundError(f"no account with the number {account_id}")
        return ACCOUNT.read(row)

    async def by_email(self, email: str) -> Account | None:
        row = await self._session.one(f"{_SELECT} WHERE folded_email = ?", folded_email(email))
        return ACCOUNT.read(row) if row else None

    async def find(self, reference: str) -> Account | None:
        if "@" in reference:
            return await self.by_email(reference)
        row = await self._session.one(f"{_SELECT} WHERE public_id = ?", reference)
        return ACCOUNT.read(row) if row else None

    async def list(self) -> Sequence[Account]:
        return ACCOUNT.read_all(await self._session.all(f"{_SELECT} ORDER BY id"))

    async def page(self, search: str, before_id: int | None, limit: int) -> Sequence[Account]:
        rows = await self._session.all(
            f"{_SELECT} WHERE {is_before('?1')} AND (?2 = '' OR public_id = ?2 OR instr(folded_email, lower(?2))"
            " OR instr(lower(display_name), lower(?2))) ORDER BY id DESC LIMIT ?3",
            before_id,
            search,
            limit,
        )
        return ACCOUNT.read_all(rows)

    async def update(self, account: Account) -> None:
        try:
            await self._session.update("login_accounts", _columns(account), "id = ?", account.id)
        except IntegrityError:
            raise _taken() from None

    async def password_hash(self, account_id: int) -> str | None:
        row = await self._session.one("SELECT password_hash FROM login_accounts WHERE id = ?", account_id)
        return row[0] if row else None

    async def set_password_hash(self, account_id: int, password_hash: str | None) -> None:
        await self._session.update("login_accounts", {"password_hash": password_hash}, "id = ?", account_id)

    async def accept(self, acceptance: PolicyAcceptance) -> None:
        await self._session.run(
            "INSERT INTO policy_acceptances (account_id, policy, version, accepted_at_us)"
            " VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            acceptance.account_id,
            acceptance.policy,
            acceptance.version,
            acceptance.accepted_at_us,
        )

    async def acceptances(self, account_id: int) -> Sequence[PolicyAcceptance]:
        rows = await self._session.all(
            f"SELECT {_ACCEPTANCE.select()} FROM policy_acceptances WHERE account_id = ?"
            " ORDER BY accepted_at_us, policy, version",
            account_id,
        )
        return _ACCEPTANCE.read_all(rows)

    async def purge_unverified(self, before_us: int, most: int) -> int:
        return await self._session.run(
            "DELETE FROM login_accounts WHERE id IN (SELECT a.id FROM login_accounts AS a"
            " WHERE a.verified_at_us IS NULL AND a.age_attested_at_us IS NOT NULL AND a.created_at_us < ?"
            " AND NOT EXISTS (SELECT 1 FROM members WHERE account_id = a.id)"
            " AND NOT EXISTS (SELECT 1 FROM account_tokens WHERE account_id = a.id) LIMIT ?)",
            before_us,
            most,
        )


def _columns(account: Account) -> dict[str, object]:
    """Returns the value of each column but the id. The address is there twice: as written, and as it is compared."""
    columns = ACCOUNT.row(account)
    del columns["id"]
    return {**columns, "folded_email": folded_email(account.email)}


def _taken() -> ConflictError:
    """Returns the refusal. It has no address, because it may be seen by another person than its owner."""
    return ConflictError("an account has this e-mail already", "choose another, or see: softix accounts list")
