"""Who asks for an operation, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass

from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.accounts.audit import ActorKind, AuditActor, Channel


@dataclass(frozen=True, slots=True)
class Principal:
    actor: AuditActor
    permissions: frozenset[Permission]

    def may(self, permission: Permission | None) -> bool:
        return permission is None or permission in self.permissions


def os_user(number: int) -> Principal:
    """Returns a user of the operating system, who may do everything: the database is a file that they can write."""
    return Principal(AuditActor(ActorKind.OS_USER, f"uid:{number}", Channel.CLI), frozenset(Permission))


NOBODY = Principal(AuditActor(ActorKind.NOBODY, "", Channel.PORTAL), frozenset())
"""Somebody at the portal who has not signed in."""
