"""The operations that an operator can run on API keys."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from typing import Any, Literal

from softix_proxy.domain.abuse.rule import AbuseAction
from softix_proxy.domain.access.keys import Key, KeyLimits, KeyStatus, Spend
from softix_proxy.domain.access.users import User
from softix_proxy.domain.catalog.regions import checked_regions
from softix_proxy.domain.catalog.unknown_members import UnknownMembersRule
from softix_proxy.domain.core.clock import PERIODS, format_instant
from softix_proxy.domain.core.errors import BadInputError, ConflictError, NotFoundError
from softix_proxy.domain.core.ids import new_public_id
from softix_proxy.domain.core.money import format_usd
from softix_proxy.domain.ledger.balance import Wallet
from softix_proxy.domain.metering.usage_tags import checked
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.domain.organisations.key_owners import KeyOwner
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.operations.access import users
from softix_proxy.operations.access.key_checks import checked_limits, checked_models
from softix_proxy.operations.access.templates import Explicit, apply_to_key
from softix_proxy.operations.notices import key_notices

_MAX_LABEL = 64
KeyGuard = Callable[[Unit], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class IssuedKey:
    key: Key
    text: str = field(repr=False)
    """The key's text. It is shown once, and only its digest is kept."""


@dataclass(frozen=True, slots=True)
class KeyStanding:
    key: Key
    user: User
    spend: Spend
    wallet: Wallet


async def create(
    storage: Storage,
    vault: Vault,
    *,
    user: str,
    label: str = "",
    models: Sequence[str] = (),
    allow_ip: Sequence[str] = (),
    limits: KeyLimits = KeyLimits(),  # noqa: B008 - the default is frozen
    expires_in_us: int | None = None,
    regions: Sequence[str] = (),
    unknown_members: UnknownMembersRule | None = None,
    tags: Sequence[str] = (),
    end_users: bool = False,
    public_id: str | None = None,
    owned_by: KeyOwner | None = None,
    guard: KeyGuard | None = None,
    template: str | None = None,
    explicit: Explicit = Explicit(),  # noqa: B008 - the default is frozen
) -> IssuedKey:
    """Creates a key of this user. With `public_id`, it creates the key of that id once.

    `guard` is called in the transaction, and raises if the key must not be made. `template` is that of its limits; see
    `templates.apply_to_key`. The limits that are given win over it, and so do those that `explicit` names.

    Raises NotFoundError, BadInputError, and ConflictError if there is a key of that id.
    """
    made = vault.new_api_key()
    async with storage.writing() as unit:
        if guard is not None:
            await guard(unit)
        owner = await users.find(unit, user)
        now_us = unit.clock.now_us()
        asked = Key(
            id=0,
            public_id=await _unused_id(unit, public_id),
            user_id=owner.id,
            label=_checked_label(label),
            prefix=made.prefix,
            digest=made.digest,
            models=await checked_models(unit, models),
            allow_ip=_checked_networks(allow_ip),
            limits=checked_limits(limits),
            status=KeyStatus.ACTIVE,
            expires_at_us=None if expires_in_us is None else now_us + expires_in_us,
            created_at_us=now_us,
            regions=checked_regions(regions),
            unknown_members=unknown_members,
            tags=checked(tags),
            end_users=end_users,
        )
        added = await unit.keys.add(asked)
        if owned_by is not None:
            await unit.key_owners.set(added.id, owned_by)
        added = await apply_to_key(unit, added, template, explicit.with_limits(limits))
        await key_notices.tell(unit, NoticeKind.KEY_CREATED, added)
        return IssuedKey(added, made.text)


async def list_all(storage: Storage, user: str | None = None) -> Sequence[Key]:
    unit = storage.reading()
    return await unit.keys.list((await users.find(unit, user)).id if user is not None else None)


async def page(
    storage: Storage, *, search: str = "", before: str | None = None, limit: int = 50, user_id: int | None = None
) -> Sequence[Key]:
    """Returns keys of one user or of all, the newest first: those before the key of this id, if one is given.

    `search` selects those whose id or visible prefix begins with the text, or whose label contains it. Raises
    NotFoundError.
    """
    unit = storage.reading()
    before_id = (await find(unit, before)).id if before else None
    return await unit.keys.page(search, before_id, limit, user_id)


async def show_id(storage: Storage, public_id: str) -> Key:
    """Returns the key with this id, and never one with this label. Raises NotFoundError."""
    key = await find(storage.reading(), public_id)
    if key.public_id != public_id:
        raise NotFoundError(f"no key has the id {public_id!r}", "see: softix keys list")
    return key


async def standing(storage: Storage, reference: str) -> KeyStanding:
    """Returns the key, what it has spent, and the balance that it draws on. Raises NotFoundError."""
    async with storage.snapshot() as unit:
        key = await find(unit, reference)
        user = await unit.users.get(key.user_id)
        return KeyStanding(key, user, await unit.keys.spend(key.id), await unit.balance.get(user.id))


async def update(
    storage: Storage,
    reference: str,
    *,
    label: str | None = None,
    models: Sequence[str] | None = None,
    allow_ip: Sequence[str] | None = None,
    limits: dict[str, Any] | None = None,
    expires_in_us: int | None = None,
    never_expires: bool = False,
    regions: Sequence[str] | None = None,
    unknown_members: UnknownMembersRule | Literal[""] | None = None,
    tags: Sequence[str] | None = None,
    end_users: bool | None = None,
) -> Key:
    """Changes the values that are given. `limits` holds fields of `KeyLimits`. An empty rule removes it.

    Raises NotFoundError, BadInputError.
    """
    async with storage.writing() as unit:
        key = await find(unit, reference)
        if "rpm" in (limits or {}):
            await _require_unthrottled(unit, key)
        expires_at_us = key.expires_at_us if expires_in_us is None else unit.clock.now_us() + expires_in_us
        changed = replace(
            key,
            label=key.label if label is None else _checked_label(label),
            models=key.models if models is None else await checked_models(unit, models),
            earlier_models=key.earlier_models if models is None else (),
            allow_ip=key.allow_ip if allow_ip is None else _checked_networks(allow_ip),
            limits=checked_limits(replace(key.limits, **(limits or {}))),
            expires_at_us=None if never_expires else expires_at_us,
            regions=key.regions if regions is None else checked_regions(regions),
            unknown_members=key.unknown_members if unknown_members is None else unknown_members or None,
            tags=key.tags if tags is None else checked(tags),
            end_users=key.end_users if end_users is None else end_users,
        )
        await unit.keys.update(changed)
        return changed


async def _require_unthrottled(unit: Unit, key: Key) -> None:
    """Raises ConflictError while a rule against abuse limits the key, so that its owner does not lift the limit."""
    if any(action.action is AbuseAction.THROTTLE for action in await unit.abuse.standing_actions(key.id)):
        raise ConflictError(
            "the key's rate is limited because of suspected abuse", "an operator can lift that: softix abuse undo ALERT"
        )


async def revoke(storage: Storage, reference: str) -> Key:
    """Revokes the key for good. The very next request with it is refused. A second time changes nothing."""
    async with storage.writing() as unit:
        return await revoke_in(unit, await find(unit, reference))


async def revoke_in(unit: Unit, key: Key) -> Key:
    """Revokes the key in the caller's transaction, and tells its organisation. Returns it as it is then."""
    if key.status is KeyStatus.REVOKED:
        await unit.abuse.drop_suspension(key.id)
        return key
    revoked = replace(key, status=KeyStatus.REVOKED)
    await unit.keys.update(revoked)
    await key_notices.tell(unit, NoticeKind.KEY_REVOKED, revoked)
    return revoked


async def rotate(
    storage: Storage,
    vault: Vault,
    reference: str,
    grace_us: int,
    *,
    public_id: str | None = None,
    guard: KeyGuard | None = None,
) -> IssuedKey:
    """Issues a new key with the same limits and spend. The old key ends after the grace period, or now.

    During the grace period each of the two keys counts its own spend from that point, so together they may exceed the
    cap. `public_id` and `guard` are as for `create`.

    Raises NotFoundError, and ConflictError for a key that is revoked or expired.
    """
    made = vault.new_api_key()
    async with storage.writing() as unit:
        if guard is not None:
            await guard(unit)
        old = await find(unit, reference)
        new_id = await _unused_id(unit, public_id)
        if old.status is not KeyStatus.ACTIVE:
            raise ConflictError("a revoked key cannot be rotated", "make a new one: softix keys create")
        now_us = unit.clock.now_us()
        if old.is_expired(now_us):
            raise ConflictError(
                "an expired key cannot be rotated",
                f"give it time first: softix keys update {old.public_id} --expires 30d",
            )
        new = replace(
            old,
            public_id=new_id,
            prefix=made.prefix,
            digest=made.digest,
            created_at_us=now_us,
        )
        ends_us = now_us + grace_us
        ends_us = ends_us if old.expires_at_us is None else min(ends_us, old.expires_at_us)
        ending = replace(old, expires_at_us=ends_us) if grace_us else replace(old, status=KeyStatus.REVOKED)
        await unit.keys.update(ending)
        added = await unit.keys.add(new, rotated_from=old.id)
        await unit.abuse.carry_throttle(old.id, added.id)
        await key_notices.tell(unit, NoticeKind.KEY_CREATED, added)
        return IssuedKey(added, made.text)


async def _unused_id(unit: Unit, asked: str | None) -> str:
    """Returns the asked id, or a new one. Raises ConflictError if a key has it."""
    if asked is not None and await unit.keys.find(asked) is not None:
        raise ConflictError("this form has made its key already", "its text was shown once; make another key")
    return asked or new_public_id("key")


async def find(unit: Unit, reference: str) -> Key:
    """Returns the key with this id, visible prefix or label. Raises NotFoundError."""
    key = await unit.keys.find(reference)
    if key is None:
        raise NotFoundError(f"no key {reference!r}, or more than one", "name it by its id: softix keys list")
    return key


def as_fields(key: Key, user_public_id: str, spend: Spend | None = None) -> dict[str, Any]:
    """Returns the key's fields as the CLI and the API show them. Amounts are decimal text in USD."""
    limits, spent = key.limits, spend or Spend()
    fields: dict[str, Any] = {
        "id": key.public_id,
        "prefix": key.prefix,
        "user_id": user_public_id,
        "name": key.label,
        "status": key.status.value,
        "models": list(key.models),
        "allow_ip": list(key.allow_ip),
        "regions": list(key.regions),
        "unknown_members": key.unknown_members,
        "tags": list(key.tags),
        "end_users": key.end_users,
        "rpm": limits.rpm,
        "tpm": limits.tpm,
        "concurrency": limits.concurrency,
        "cap": None if limits.cap_pico is None else format_usd(limits.cap_pico),
        "cap_period": None if limits.cap_pico is None else limits.cap_period,
        "model_rates": [{"model": rate.models, "rpm": rate.rpm, "tpm": rate.tpm} for rate in limits.model_rates],
        "expires_at": format_instant(key.expires_at_us),
        "created_at": format_instant(key.created_at_us),
    }
    if spend is not None:
        fields["spent"] = {period: format_usd(spent.of(period)) for period in PERIODS}
        fields["held"] = format_usd(spent.held_pico)
        fields["open_requests"] = spent.open_requests
    return fields


def _checked_label(label: str) -> str:
    if len(label) > _MAX_LABEL or not (label.isprintable() or not label):
        raise BadInputError("a key's name is one line of at most 64 characters", "shorten it")
    return label


def _checked_networks(networks: Sequence[str]) -> tuple[str, ...]:
    checked = []
    for text in networks:
        try:
            checked.append(str(ip_network(text, strict=False)))
        except ValueError:
            raise BadInputError(f"not a network: {text!r}", "write for example 10.0.0.0/8 or 2001:db8::/32") from None
    return tuple(checked)
