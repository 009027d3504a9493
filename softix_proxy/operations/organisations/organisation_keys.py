"""The keys of an organisation, as far as one of its members may see and change them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from softix_proxy.domain.abuse.abuse import SuspendedKey
from softix_proxy.domain.access.keys import Key, KeyLimits, KeyStatus, Spend
from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.accounts.accounts import Account
from softix_proxy.domain.core.errors import BadInputError, ConflictError
from softix_proxy.domain.core.ids import derived_public_id
from softix_proxy.domain.organisations.key_owners import NOBODY, KeyOwner
from softix_proxy.domain.organisations.projects import Project
from softix_proxy.domain.ports.storage import Unit
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.operations.access import keys
from softix_proxy.operations.access.keys import IssuedKey
from softix_proxy.operations.organisations import projects
from softix_proxy.operations.organisations.organisation_scope import OrganisationScope

MOST_ACTIVE = 1000
"""The most active keys of an organisation that members can make. An operator can make more."""
LONGEST_GRACE_US = 30 * 86_400_000_000
_MOST_FORM_ID = 64
_PERCENT = 100


class KeyCondition(StrEnum):
    """What a person has to know about a key: whether it works, and if not, why."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class KeyForm:
    """What a member may decide about a key."""

    label: str = ""
    models: tuple[str, ...] = ()
    allow_ip: tuple[str, ...] = ()
    limits: KeyLimits = field(default_factory=KeyLimits)
    expires_at_us: int | None = None
    project: str = ""
    """The public id of the project that a new key belongs to. Only those who manage keys can name one."""


@dataclass(frozen=True, slots=True)
class KeyView:
    """A key with what it has spent, as a member sees it."""

    key: Key
    spend: Spend
    condition: KeyCondition
    may_change: bool
    project: Project | None = None
    account: Account | None = None
    """The member that it belongs to. The list of keys leaves it out."""

    @property
    def cap_spent_pico(self) -> int:
        """What was spent in the running period of the cap."""
        return self.spend.of(self.key.limits.cap_period)

    @property
    def cap_percent(self) -> int | None:
        """How much of the cap is spent, rounded down. None without a cap."""
        cap_pico = self.key.limits.cap_pico
        if cap_pico is None:
            return None
        return _PERCENT * self.cap_spent_pico // cap_pico if cap_pico else _PERCENT


async def suspended(scope: OrganisationScope) -> Sequence[SuspendedKey]:
    """Returns the keys that are suspended, and why. Raises NotFoundError."""
    scope.require(Permission.KEYS_READ)
    return await scope.storage.reading().abuse.suspended(scope.organisation.id)


async def list_all(scope: OrganisationScope) -> Sequence[KeyView]:
    """Returns the organisation's keys: those that work first, and the newest of each kind first.

    Raises NotFoundError.
    """
    scope.require(Permission.KEYS_READ)
    async with scope.storage.snapshot() as unit:
        found = await unit.keys.list(scope.organisation.id)
        spends = await unit.keys.spend_by_key(scope.organisation.id)
        owners = await unit.key_owners.list(scope.organisation.id)
        by_id = {project.id: project for project in await unit.projects.list(scope.organisation.id)}
        now_us = unit.clock.now_us()
    views = [
        KeyView(
            key,
            spends.get(key.id, Spend()),
            condition(key, now_us),
            scope.may_change(key, owners),
            by_id.get(owners.get(key.id, NOBODY).project_id or 0),
        )
        for key in reversed(found)
    ]
    return sorted(views, key=lambda view: list(KeyCondition).index(view.condition))


async def show(scope: OrganisationScope, public_id: str) -> KeyView:
    """Returns one key. Raises NotFoundError."""
    async with scope.storage.snapshot() as unit:
        key = await scope.key(unit, public_id)
        owner = await unit.key_owners.get(key.id)
        mine = [each for each in await unit.projects.list(scope.organisation.id) if each.id == owner.project_id]
        return KeyView(
            key,
            await unit.keys.spend(key.id),
            condition(key, unit.clock.now_us()),
            scope.may_change(key, {key.id: owner}),
            mine[0] if mine else None,
            None if owner.account_id is None else await unit.accounts.get(owner.account_id),
        )


async def show_changeable(scope: OrganisationScope, public_id: str) -> KeyView:
    """Returns one key that the member may change. Raises NotFoundError."""
    await scope.changeable_key(scope.storage.reading(), public_id)
    return await show(scope, public_id)


async def create(scope: OrganisationScope, vault: Vault, form: KeyForm, form_id: str) -> IssuedKey:
    """Creates a key of the member. `form_id` names the form, so that a form that is sent twice makes one key.

    Raises NotFoundError, BadInputError, and ConflictError for a form that has made its key, too many keys, or an
    archived project.
    """
    scope.require_making_keys()
    project_id = await _project_id(scope, form)

    async def guard(unit: Unit) -> None:
        await scope.still_may_make_keys(unit)
        await _require_room(scope, unit)
        if form.project:
            projects.require_open(await scope.project(unit, form.project))

    return await keys.create(
        scope.storage,
        vault,
        user=scope.organisation.public_id,
        label=form.label,
        models=form.models,
        allow_ip=form.allow_ip,
        limits=form.limits,
        expires_in_us=_expires_in_us(form, scope.storage.reading().clock.now_us()),
        public_id=_one_key_id(scope, "create", form_id),
        owned_by=KeyOwner(scope.account_id, project_id),
        guard=guard,
    )


async def open_projects(scope: OrganisationScope) -> Sequence[Project]:
    """Returns the projects that the member can choose for a new key."""
    if not scope.membership.may(Permission.KEYS_WRITE):
        return ()
    found = await scope.storage.reading().projects.list(scope.organisation.id)
    return [project for project in found if project.archived_at_us is None]


async def update(scope: OrganisationScope, public_id: str, form: KeyForm) -> Key:
    """Changes a key to what the form says. Raises NotFoundError, BadInputError, ConflictError."""
    unit = scope.storage.reading()
    key = await scope.changeable_key(unit, public_id)
    _require_not_revoked(key)
    is_same_end = form.expires_at_us == key.expires_at_us
    return await keys.update(
        scope.storage,
        key.public_id,
        label=form.label,
        models=form.models,
        allow_ip=form.allow_ip,
        limits=form.limits.of_forms,
        expires_in_us=None if is_same_end else _expires_in_us(form, unit.clock.now_us()),
        never_expires=form.expires_at_us is None,
    )


async def rotate(scope: OrganisationScope, vault: Vault, public_id: str, grace_us: int, form_id: str) -> IssuedKey:
    """Replaces a key. The old one ends after the grace period. Raises the errors of `create`."""
    if not 0 <= grace_us <= LONGEST_GRACE_US:
        raise BadInputError("the old key can work on for 30 days at most", "choose a shorter time")
    key = await scope.changeable_key(scope.storage.reading(), public_id)
    new_id = _one_key_id(scope, key.public_id, form_id)
    return await keys.rotate(
        scope.storage, vault, key.public_id, grace_us, public_id=new_id, guard=scope.still_may_make_keys
    )


async def revoke(scope: OrganisationScope, public_id: str) -> Key:
    """Revokes a key for good. A second time changes nothing. Raises NotFoundError."""
    key = await scope.changeable_key(scope.storage.reading(), public_id)
    return await keys.revoke(scope.storage, key.public_id)


async def _project_id(scope: OrganisationScope, form: KeyForm) -> int | None:
    """Returns the number of the project of a new key. Raises NotFoundError."""
    if not form.project:
        return None
    scope.require(Permission.KEYS_WRITE)
    return (await scope.project(scope.storage.reading(), form.project)).id


async def _require_room(scope: OrganisationScope, unit: Unit) -> None:
    """Raises ConflictError if the organisation has as many keys that work as its members can make."""
    known, now_us = await unit.keys.list(scope.organisation.id), unit.clock.now_us()
    if sum(condition(key, now_us) is KeyCondition.ACTIVE for key in known) >= MOST_ACTIVE:
        raise ConflictError(f"the organisation has {MOST_ACTIVE:,} keys that work", "revoke those that nobody uses")


def condition(key: Key, now_us: int) -> KeyCondition:
    if key.status is KeyStatus.REVOKED:
        return KeyCondition.REVOKED
    return KeyCondition.EXPIRED if key.is_expired(now_us) else KeyCondition.ACTIVE


def _require_not_revoked(key: Key) -> None:
    if key.status is KeyStatus.REVOKED:
        raise ConflictError("a revoked key cannot be changed", "make a new one")


def _expires_in_us(form: KeyForm, now_us: int) -> int | None:
    if form.expires_at_us is None:
        return None
    if form.expires_at_us <= now_us:
        raise BadInputError("the day on which a key ends is in the future", "leave it empty for a key without an end")
    return form.expires_at_us - now_us


def _one_key_id(scope: OrganisationScope, what: str, form_id: str) -> str:
    """Returns the id of the key that this form makes. Raises BadInputError if the form has no id."""
    if not 0 < len(form_id) <= _MOST_FORM_ID:
        raise BadInputError("the form is not complete", "open the page again")
    return derived_public_id("key", scope.organisation.public_id, str(scope.account_id), what, form_id)
