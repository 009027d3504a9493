"""The rows of second factors. Each proof is one statement, whose number of changed rows decides."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.domain.accounts.factors import Factors, Passkey, TotpFactor
from softix_proxy.domain.core.errors import ConflictError
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.engine import IntegrityError
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping

TOTP_FACTOR = RecordMapping(TotpFactor, "account_id", "sealed_secret", "last_step", "created_at_us", "used_at_us")
_PASSKEY_COLUMNS = (
    "public_id",
    "account_id",
    "credential_id",
    "public_key",
    "sign_count",
    "label",
    "created_at_us",
    "used_at_us",
)
PASSKEY = RecordMapping(Passkey, "id", *_PASSKEY_COLUMNS)


class SqliteFactorStore:
    """Stores authenticator apps, passkeys and recovery codes."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def of_account(self, account_id: int) -> Factors:
        totp = await self._session.one(
            f"SELECT {TOTP_FACTOR.select()} FROM totp_factors WHERE account_id = ?", account_id
        )
        passkeys = await self._session.all(
            f"SELECT {PASSKEY.select()} FROM passkeys WHERE account_id = ? ORDER BY id", account_id
        )
        [(codes,)] = await self._session.all("SELECT count(*) FROM recovery_codes WHERE account_id = ?", account_id)
        return Factors(
            totp=TOTP_FACTOR.read(totp) if totp else None,
            passkeys=tuple(PASSKEY.read_all(passkeys)),
            recovery_codes=codes,
        )

    async def set_totp(self, factor: TotpFactor) -> None:
        await self.remove_totp(factor.account_id)
        await self._session.insert("totp_factors", TOTP_FACTOR.row(factor))

    async def use_totp_step(self, account_id: int, step: int, now_us: int) -> bool:
        used = {"last_step": step, "used_at_us": now_us}
        return bool(
            await self._session.update("totp_factors", used, "account_id = ? AND last_step < ?", account_id, step)
        )

    async def remove_totp(self, account_id: int) -> bool:
        return bool(await self._session.run("DELETE FROM totp_factors WHERE account_id = ?", account_id))

    async def list_totp(self) -> Sequence[TotpFactor]:
        return TOTP_FACTOR.read_all(
            await self._session.all(f"SELECT {TOTP_FACTOR.select()} FROM totp_factors ORDER BY account_id")
        )

    async def reseal_totp(self, account_id: int, before: bytes, sealed_secret: bytes) -> bool:
        resealed = {"sealed_secret": sealed_secret}
        return bool(
            await self._session.update(
                "totp_factors", resealed, "account_id = ? AND sealed_secret = ?", account_id, before
            )
        )

    async def add_passkey(self, passkey: Passkey) -> Passkey:
        try:
            number = await self._session.insert("passkeys", PASSKEY.row(passkey, *_PASSKEY_COLUMNS))
        except IntegrityError:
            raise ConflictError("this passkey is known already", "choose another device or security key") from None
        row = await self._session.one(f"SELECT {PASSKEY.select()} FROM passkeys WHERE id = ?", number)
        return PASSKEY.read(row or ())

    async def passkey(self, credential_id: bytes) -> Passkey | None:
        row = await self._session.one(f"SELECT {PASSKEY.select()} FROM passkeys WHERE credential_id = ?", credential_id)
        return PASSKEY.read(row) if row else None

    async def use_passkey(self, passkey_id: int, sign_count: int, now_us: int) -> bool:
        used = {"sign_count": sign_count, "used_at_us": now_us}
        return bool(
            await self._session.update(
                "passkeys",
                used,
                "id = ? AND (sign_count < ? OR sign_count + ? = 0)",
                passkey_id,
                sign_count,
                sign_count,
            )
        )

    async def remove_passkey(self, account_id: int, public_id: str) -> bool:
        return bool(
            await self._session.run(
                "DELETE FROM passkeys WHERE account_id = ? AND public_id = ?", account_id, public_id
            )
        )

    async def set_recovery_codes(self, account_id: int, digests: Sequence[bytes], now_us: int) -> None:
        await self._session.run("DELETE FROM recovery_codes WHERE account_id = ?", account_id)
        for digest in digests:
            await self._session.insert(
                "recovery_codes", {"account_id": account_id, "digest": digest, "created_at_us": now_us}
            )

    async def use_recovery_code(self, account_id: int, digest: bytes) -> bool:
        return bool(
            await self._session.run(
                "DELETE FROM recovery_codes WHERE account_id = ? AND digest = ?", account_id, digest
            )
        )

    async def remove_all(self, account_id: int) -> None:
        for table in ("totp_factors", "passkeys", "recovery_codes"):
            await self._session.run(f"DELETE FROM {table} WHERE account_id = ?", account_id)
