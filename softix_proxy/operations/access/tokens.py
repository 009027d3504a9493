"""The operations on admin tokens, and how the text of one becomes a principal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from softix_proxy.domain.access.roles import Granter, OperatorRoles
from softix_proxy.domain.access.tokens import AdminToken
from softix_proxy.domain.accounts.audit import ActorKind, AuditActor, Channel
from softix_proxy.domain.accounts.principals import Principal
from softix_proxy.domain.core.clock import DAY_US, format_instant
from softix_proxy.domain.core.display import is_one_line
from softix_proxy.domain.core.errors import BadInputError, NotFoundError, NotPermittedError
from softix_proxy.domain.core.ids import new_public_id
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.operations.access.door import Door

_LONGEST_LABEL = 80


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token that was made just now, with its text, which is shown only once."""

    token: AdminToken
    text: str = field(repr=False)


async def create(
    storage: Storage,
    vault: Vault,
    role: str,
    by: Granter,
    *,
    label: str = "",
    expires_in_us: int | None = None,
) -> IssuedToken:
    """Creates a token with a role of operators.

    Raises BadInputError for an unknown role, and NotPermittedError for one that the granter may not give.
    """
    by.require(by.roles.require(role))
    if not by.roles.permissions(role):
        raise BadInputError(f"the role {role!r} may do nothing", "see: softix roles list")
    if len(label) > _LONGEST_LABEL or not is_one_line(label):
        raise BadInputError("the name of a token is one line of at most 80 letters", "shorten --name")
    made = vault.new_admin_token()
    async with storage.writing() as unit:
        now_us = unit.clock.now_us()
        token = await unit.tokens.add(
            AdminToken(
                id=0,
                public_id=new_public_id("tok"),
                label=label,
                prefix=made.prefix,
                digest=made.digest,
                role=role,
                created_at_us=now_us,
                expires_at_us=None if expires_in_us is None else now_us + expires_in_us,
            )
        )
        return IssuedToken(token, made.text)


async def list_all(storage: Storage) -> Sequence[AdminToken]:
    return await storage.reading().tokens.list()


async def show(storage: Storage, reference: str) -> AdminToken:
    """Returns the token with this id or prefix. Raises NotFoundError."""
    return await _find(storage.reading(), reference)


async def revoke(storage: Storage, reference: str, by: Granter) -> AdminToken:
    """Revokes a token for good. A second call changes nothing.

    Raises NotFoundError, and NotPermittedError for a token that may do more than the granter.
    """
    async with storage.writing() as unit:
        token = await _find(unit, reference)
        by.require(token.role)
        if token.revoked_at_us is not None:
            return token
        now_us = unit.clock.now_us()
        await unit.tokens.revoke(token.id, now_us)
        return replace(token, revoked_at_us=now_us)


async def door(storage: Storage, vault: Vault, text: str, channel: Channel, roles: OperatorRoles) -> Door:
    """Returns the door for whoever has this token. Its role and its validity are read again in each transaction.

    Raises NotPermittedError for what is no token, and for one that has expired or was revoked.
    """
    digest = vault.admin_token_digest(text)
    token = None if digest is None else await storage.reading().tokens.by_digest(digest)
    if token is None:
        raise NotPermittedError("this is no admin token of this instance", "make one: softix tokens create")

    async def authority(unit: Unit) -> Principal:
        return _principal(await unit.tokens.get(token.id), unit.clock.now_us(), channel, roles)

    principal = await authority(storage.reading())
    await _note_use(storage, token)
    return Door(storage, principal, authority)


def _principal(token: AdminToken, now_us: int, channel: Channel, roles: OperatorRoles) -> Principal:
    if not token.is_valid(now_us):
        how = "was revoked" if token.revoked_at_us is not None else "has expired"
        raise NotPermittedError(f"the token {token.public_id} {how}", "make another one: softix tokens create")
    return Principal(AuditActor(ActorKind.TOKEN, token.public_id, channel), roles.permissions(token.role))


async def _note_use(storage: Storage, token: AdminToken) -> None:
    """Notes the day of the last use, at most once a day."""
    now_us = storage.reading().clock.now_us()
    today_us = now_us - now_us % DAY_US
    if token.used_at_us is None or token.used_at_us < today_us:
        async with storage.writing() as unit:
            await unit.tokens.use(token.id, today_us)


async def _find(unit: Unit, reference: str) -> AdminToken:
    token = await unit.tokens.find(reference)
    if token is None:
        raise NotFoundError(f"there is no token {reference!r}", "see: softix tokens list")
    return token


def as_fields(token: AdminToken, now_us: int) -> dict[str, Any]:
    """Returns the fields that an operator is shown. The text of a token is not among them."""
    status = "revoked" if token.revoked_at_us is not None else "active" if token.is_valid(now_us) else "expired"
    return {
        "id": token.public_id,
        "prefix": token.prefix,
        "name": token.label,
        "role": token.role,
        "status": status,
        "expires_at": format_instant(token.expires_at_us),
        "last_used_on": None if token.used_at_us is None else (format_instant(token.used_at_us) or "")[:10],
        "created_at": format_instant(token.created_at_us),
    }
