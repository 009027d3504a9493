"""Who asks for operations in tests."""

from __future__ import annotations

from typing import Final

from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.access.roles import OPERATOR_ROLES, Granter
from softix_proxy.domain.accounts.audit import ActorKind, AuditActor, Channel
from softix_proxy.domain.accounts.principals import Principal, os_user
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.operations.access.door import Door

ALL: Final = Granter(permissions=frozenset(Permission))
"""Somebody who may give every role."""
EVE: Final = AuditActor(ActorKind.ACCOUNT, "acc_eve", Channel.PORTAL)


def door_of(storage: Storage, role: str) -> Door:
    """Returns the door for an account with this role, which no row describes."""
    return Door(storage, Principal(EVE, OPERATOR_ROLES[role]))


async def entered(storage: Storage, operation: str) -> Storage:
    """Returns the storage for an operation of somebody at the command line."""
    return await Door(storage, os_user(1000)).enter(operation)
