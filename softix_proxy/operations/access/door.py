"""The one door to every operation: it asks for the permission, and writes down who did what.

The command line, the admin API and the portal get their storage here. An operation that only reads gets no way to
write. Whatever another one changes is written to the audit in the transaction that changes it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from softix_proxy.domain.access.operations import OPERATIONS, NamedOperation
from softix_proxy.domain.access.roles import OperatorRoles
from softix_proxy.domain.accounts.accounts import Account, permissions_of
from softix_proxy.domain.accounts.audit import ActorKind, AuditActor, AuditChange, Channel, Outcome
from softix_proxy.domain.accounts.principals import Principal
from softix_proxy.domain.core.errors import NotPermittedError
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.privacy.technical_data import NOWHERE, CallOrigin
from softix_proxy.domain.routing.directory import Changes

Authority = Callable[[Unit], Awaitable[Principal]]
"""Returns the principal as it is now. Raises NotPermittedError if it is none any more."""
Condition = Callable[[Unit], Awaitable[None]]
"""Is asked within the transaction of a change, before it. What it raises undoes the transaction."""


@dataclass(frozen=True, slots=True)
class Door:
    """The way of one principal to the operations."""

    storage: Storage
    principal: Principal
    authority: Authority | None = None
    """How the principal is looked up again within each transaction. None for one that no row describes."""
    conditions: tuple[Condition, ...] = ()
    """What must hold besides."""
    origin: CallOrigin = NOWHERE
    """From where the principal comes. What is written down keeps it, until it is purged."""

    async def enter(self, name: str) -> Storage:
        """Returns the storage for the operation of this name.

        Raises NotPermittedError if the principal may not do it. The audit has the attempt then.
        """
        operation = OPERATIONS[name]
        if not self.principal.may(operation.permission):
            async with self.storage.writing() as unit:
                unit.origin = self.origin
                await unit.audit.add(self.principal.actor, name, "", Outcome.REFUSED)
            raise refusal(operation)
        return GuardedStorage(
            self.storage, self.principal, operation, self.authority, self.conditions, origin=self.origin
        )

    def recorded(self, name: str) -> Storage:
        """Returns the storage for an operation whose permission was asked for elsewhere: by the scope of an
        organisation, or because it is about the principal's own account.
        """
        return GuardedStorage(self.storage, self.principal, OPERATIONS[name], None, origin=self.origin)


def account_door(storage: Storage, account: Account, channel: Channel, roles: OperatorRoles) -> Door:
    """Returns the door for an account. Its role is read again within each transaction."""
    actor = AuditActor(ActorKind.ACCOUNT, account.public_id, channel)

    async def authority(unit: Unit) -> Principal:
        return Principal(actor, permissions_of(await unit.accounts.get(account.id), roles))

    return Door(storage, Principal(actor, permissions_of(account, roles)), authority)


def refusal(operation: NamedOperation) -> NotPermittedError:
    return NotPermittedError(
        f"{operation.name} needs the permission {operation.permission}",
        "ask somebody whose role has it; see: softix roles list",
    )


class GuardedStorage:
    """The storage for one operation of one principal."""

    def __init__(
        self,
        storage: Storage,
        principal: Principal,
        operation: NamedOperation,
        authority: Authority | None,
        conditions: Sequence[Condition] = (),
        *,
        origin: CallOrigin = NOWHERE,
    ) -> None:
        self._storage = storage
        self._principal = principal
        self._operation = operation
        self._authority = authority
        self._conditions = conditions
        self._origin = origin

    def reading(self) -> Unit:
        return self._storage.reading()

    def snapshot(self) -> AbstractAsyncContextManager[Unit]:
        return self._storage.snapshot()

    @asynccontextmanager
    async def writing(self, *, recorded: bool = True) -> AsyncIterator[Unit]:
        if not self._operation.changes:
            raise RuntimeError(f"{self._operation.name} is an operation that changes nothing")
        async with self._storage.writing(recorded=True) as unit:
            unit.origin = self._origin
            if self._authority is not None and not (await self._authority(unit)).may(self._operation.permission):
                raise refusal(self._operation)
            for condition in self._conditions:
                await condition(unit)
            yield unit
            changes = await unit.audit.changes()
            if changes:
                subject = subject_of(self._operation, changes)
                await unit.audit.add(self._principal.actor, self._operation.name, subject, Outcome.DONE, changes)

    def rehearsal(self) -> Storage:
        rehearsal = self._storage.rehearsal()
        return GuardedStorage(
            rehearsal, self._principal, self._operation, self._authority, self._conditions, origin=self._origin
        )

    async def changes(self, since_revision: int) -> Changes:
        return await self._storage.changes(since_revision)


def subject_of(operation: NamedOperation, changes: Sequence[AuditChange]) -> str:
    """Returns the id of what the operation is about: of the first change to its noun, or else of the first change."""
    noun = operation.name.partition(".")[0].removesuffix("s").replace("-", "_")
    return next((change.id for change in changes if change.kind == noun), changes[0].id)
