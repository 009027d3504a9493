"""The second factors of people: codes of an authenticator app, passkeys, and recovery codes for when both are lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from softix_proxy.domain.accounts.accounts import Account
from softix_proxy.domain.accounts.throttles import ThrottleRule
from softix_proxy.domain.organisations.organisations import Membership

RECOVERY_CODES = 10
"""How many recovery codes a person gets at once."""
CODE_THROTTLE = ThrottleRule("second_factor", per_hour=6, burst=10)
"""How often an account may try a code. Three of a million codes are right at a time, so a year of guessing finds one
with a chance of one in six, for somebody who knows the password already."""
RECOVERY_THROTTLE = ThrottleRule("recovery_code", per_hour=30, burst=20)
"""How often an account may try a recovery code, which has 80 random bits. It only limits the work."""
PASSKEY_PROMPT_THROTTLE = ThrottleRule("passkey_prompt", per_hour=60, burst=30)
"""How often an account may ask for a passkey as its second factor. Each one is a row for some minutes."""
PASSKEY_PROOF_THROTTLE = ThrottleRule("passkey_proof", per_hour=12, burst=10)
"""How often an account may give a passkey that is refused. Nobody guesses one: it only limits the events of failures,
so that they hide no others."""


class FactorKind(StrEnum):
    TOTP = "totp"
    """The code of an authenticator app (RFC 6238)."""
    PASSKEY = "passkey"
    RECOVERY_CODE = "recovery_code"


@dataclass(frozen=True, slots=True)
class TotpFactor:
    """The authenticator app of an account. It exists only after a code of it was confirmed."""

    account_id: int
    sealed_secret: bytes = field(repr=False)
    last_step: int
    """The time step of the last code that was accepted. No code of it or of an earlier one is accepted again."""
    created_at_us: int
    used_at_us: int | None = None


@dataclass(frozen=True, slots=True)
class Passkey:
    """A credential of WebAuthn. Its private key is in the person's device."""

    id: int
    public_id: str
    """The id by which pages name it: `pky_` and letters."""
    account_id: int
    credential_id: bytes = field(repr=False)
    public_key: bytes = field(repr=False)
    """The public key in COSE's form."""
    sign_count: int
    """How often the device says that it was used. Devices that share a passkey report 0 always."""
    label: str = field(repr=False)
    """The name that the person gave it."""
    created_at_us: int
    used_at_us: int | None = None


@dataclass(frozen=True, slots=True)
class Factors:
    """What an account has beside its password."""

    totp: TotpFactor | None
    passkeys: tuple[Passkey, ...]
    recovery_codes: int
    """How many recovery codes are unused."""

    @property
    def any(self) -> bool:
        """Whether sign-in by password asks for a second factor. Recovery codes alone are none."""
        return self.totp is not None or bool(self.passkeys)


def needs_factor(account: Account, memberships: Iterable[Membership], roles: Sequence[str]) -> bool:
    """Returns whether one of the account's roles, here or in an organisation, is one that needs a second factor."""
    held = {account.role, *(one.role.value for one in memberships)}
    return not held.isdisjoint(roles)


class FactorStore(Protocol):
    """Stores the factors. What is proved is decided in one statement, so that no proof counts twice."""

    async def of_account(self, account_id: int) -> Factors: ...

    async def set_totp(self, factor: TotpFactor) -> None:
        """Sets the authenticator app of the account. An earlier one ends."""
        ...

    async def use_totp_step(self, account_id: int, step: int, now_us: int) -> bool:
        """Notes that a code of this step was given. Returns False if one of it or of a later step was given before."""
        ...

    async def remove_totp(self, account_id: int) -> bool: ...

    async def list_totp(self) -> Sequence[TotpFactor]:
        """Returns the authenticator apps of all accounts, whose secrets a new master key has to seal."""
        ...

    async def reseal_totp(self, account_id: int, before: bytes, sealed_secret: bytes) -> bool:
        """Replaces the sealed secret. Returns False if another one was set in the meantime."""
        ...

    async def add_passkey(self, passkey: Passkey) -> Passkey:
        """Adds a passkey. `passkey.id` is ignored and assigned. Raises ConflictError if the credential is known."""
        ...

    async def passkey(self, credential_id: bytes) -> Passkey | None: ...

    async def use_passkey(self, passkey_id: int, sign_count: int, now_us: int) -> bool:
        """Notes a use of the passkey. Returns False if the count does not exceed the last one, unless both are 0."""
        ...

    async def remove_passkey(self, account_id: int, public_id: str) -> bool: ...

    async def set_recovery_codes(self, account_id: int, digests: Sequence[bytes], now_us: int) -> None:
        """Sets the recovery codes. All earlier ones end."""
        ...

    async def use_recovery_code(self, account_id: int, digest: bytes) -> bool:
        """Ends the code. Returns False if there is none with this digest, or if it was used."""
        ...

    async def remove_all(self, account_id: int) -> None: ...
