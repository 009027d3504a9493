"""What one member may see and do in one organisation. Every page of an organisation asks here, and nowhere else.

What belongs to another organisation does not exist here, and neither does what the role of the member does not allow:
naming it raises NotFoundError, which never says that it is somebody's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from softix_proxy.domain.access.keys import Key
from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.access.users import User
from softix_proxy.domain.core.calendar import Calendar
from softix_proxy.domain.core.errors import NotFoundError
from softix_proxy.domain.organisations.key_owners import NOBODY, KeyOwner
from softix_proxy.domain.organisations.organisations import Membership
from softix_proxy.domain.organisations.projects import Project
from softix_proxy.domain.ports.storage import Storage, Unit


@dataclass(frozen=True, slots=True)
class OrganisationScope:
    """A member's view of one organisation."""

    storage: Storage
    organisation: User
    membership: Membership

    @property
    def account_id(self) -> int:
        return self.membership.account_id

    @property
    def may_make_keys(self) -> bool:
        return self.membership.may(Permission.KEYS_OWN) or self.membership.may(Permission.KEYS_WRITE)

    def require(self, permission: Permission) -> None:
        """Raises NotFoundError if the member lacks it, or if the membership is that of another organisation."""
        if self.membership.user_id != self.organisation.id or not self.membership.may(permission):
            raise _missing()

    def require_making_keys(self) -> None:
        """Raises NotFoundError if the member may make no key at all."""
        if not self.membership.may(Permission.KEYS_WRITE):
            self.require(Permission.KEYS_OWN)

    async def key(self, unit: Unit, public_id: str) -> Key:
        """Returns a key of the organisation by its public id. A label or a prefix names none here.

        Raises NotFoundError.
        """
        self.require(Permission.KEYS_READ)
        key = await unit.keys.find(public_id) if public_id.startswith("key_") else None
        if key is None or key.user_id != self.organisation.id or key.public_id != public_id:
            raise _missing()
        return key

    async def calendar(self) -> Calendar:
        """Returns the calendar of the billing zone."""
        return await self.storage.reading().instance.calendar()

    async def project(self, unit: Unit, public_id: str) -> Project:
        """Returns a project of the organisation by its public id. Raises NotFoundError."""
        self.require(Permission.PROJECTS_READ)
        project = await unit.projects.find(self.organisation.id, public_id)
        if project is None or project.user_id != self.organisation.id or project.public_id != public_id:
            raise _missing()
        return project

    async def changeable_key(self, unit: Unit, public_id: str) -> Key:
        """Returns a key that the member may change. Raises NotFoundError."""
        key = await self.key(unit, public_id)
        if not self.may_change(key, {key.id: await unit.key_owners.get(key.id)}):
            raise _missing()
        return key

    def may_change(self, key: Key, owners: Mapping[int, KeyOwner]) -> bool:
        """Returns whether the member may change the key. `owners` are those of the organisation's keys."""
        if self.membership.may(Permission.KEYS_WRITE):
            return True
        is_own = owners.get(key.id, NOBODY).account_id == self.account_id
        return is_own and self.membership.may(Permission.KEYS_OWN)

    async def still_may_make_keys(self, unit: Unit) -> None:
        """Asks again within the transaction that makes a key. Raises NotFoundError if the member was removed meanwhile.

        Else a key that was made at the same moment would outlive the membership.
        """
        current = await unit.memberships.find(self.account_id, self.organisation.id)
        if current is None or current.role is not self.membership.role:
            raise _missing()
        self.require_making_keys()


def _missing() -> NotFoundError:
    return NotFoundError("there is no such thing here, or your role does not allow it")
