"""Every operation that somebody may ask for, by the name of its command, and the permission that it needs.

`keys.revoke` is the command `softix keys revoke`, the same call of the admin API, and the same button of the portal.
So none of the three can allow what another one refuses, and the audit names all of them alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from softix_proxy.domain.access.permissions import Permission


@dataclass(frozen=True, slots=True)
class NamedOperation:
    name: str
    """The words of its command, joined by dots: `keys.revoke`."""
    permission: Permission | None
    """What it needs. None if everybody does it with their own account, or if the page is for every operator."""
    changes: bool
    """Whether it may change something. The door gives no way to write to an operation that does not."""


def _rows(
    noun: str, reads: str = "", changes: str = "", *, of: str | None = None, own: bool = False
) -> Iterator[NamedOperation]:
    """Yields the operations on a noun. `of` is the noun of its permissions, if that is another one."""
    about = of or noun
    for verb in reads.split():
        yield NamedOperation(f"{noun}.{verb}", None if own else Permission(f"{about}.read"), changes=False)
    for verb in changes.split():
        yield NamedOperation(f"{noun}.{verb}", None if own else Permission(f"{about}.write"), changes=True)


def _table() -> Iterator[NamedOperation]:
    yield from _of_people()
    yield from _of_requests_and_money()
    yield from _of_the_instance()
    yield from _rows("overview", "show", own=True)
    yield from _rows("page", "show", own=True)
    yield from _rows("payments", changes="webhook", own=True)
    yield from _rows(
        "account",
        "show",
        "confirm register verify reset update change-email change-password sign-in sign-out end-sessions "
        "add-factor remove-factor make-codes link-identity unlink-identity set-notices choose-organisation "
        "accept-invitation",
        own=True,
    )


def _of_people() -> Iterator[NamedOperation]:
    yield from _rows("users", "list show", "create import limits update disable enable set-password")
    yield from _rows(
        "accounts", "list show", "connect create disable enable reset-link set-role sign-out", of="accounts"
    )
    yield from _rows("factors", "list", "reset", of="accounts")
    yield from _rows("security-events", "list", of="accounts")
    yield from _rows("roles", "list show permissions", own=True)
    yield from _rows("tokens", "list show", "create revoke")
    yield from _rows("audit", "list show export follow verify")
    yield NamedOperation("audit.sign", Permission.AUDIT_READ, changes=True)  # the first call makes the key
    yield from _rows("addresses", "agents list", "purge")
    yield from _rows("keys", "list show", "create import limits rotate update")
    yield NamedOperation("keys.revoke", Permission.KEYS_REVOKE, changes=True)
    yield from _rows("templates", "list show", "delete set", of="keys")
    yield from _rows("objects", "list", "share unshare")
    yield from _rows("organisations", "list show members invitations", "cancel-invitation invite remove set-role leave")
    yield from _rows("projects", "list show", "archive assign create rename")
    yield from _rows("budgets", "list", "recount remove set")


def _of_requests_and_money() -> Iterator[NamedOperation]:
    yield from _rows("balance", "history show", "add adjust credit-limit set")
    yield from _rows(
        "payments",
        "export list refunds show status",
        "approve-refund ask-refund refund refuse-refund set-auto-top-up setup sweep top-up open-methods",
    )
    yield from _rows("providers", "list show", "add disable enable remove remove-key set-key test update")
    yield from _rows("models", "list show", "add disable enable update")
    yield from _rows("routes", "explain health list show", "disable enable remove set")
    yield from _rows("prices", "check diff history list missing proposals show", "approve import markup reject set")
    yield from _rows("usage", "attempts explain list show summary tail traffic", "correct recost reprice")
    yield NamedOperation("top", Permission.USAGE_READ, changes=False)
    yield NamedOperation("usage.export", Permission.EXPORTS_WRITE, changes=True)
    yield from _rows("batches", "list", "settle")
    yield from _rows("bounds", "list", "reset")
    yield from _rows("period", "list show", "close", of="periods")
    yield from _rows("export", "list verify", of="exports")
    yield NamedOperation("export.public-key", Permission.EXPORTS_READ, changes=True)  # the first call makes the key
    yield NamedOperation("reconcile", Permission.USAGE_READ, changes=False)
    yield from _rows("bill", "list render show", "credit customer run", of="bills")
    yield from _rows("ledger", "accounts verify", "redate")


def _of_the_instance() -> Iterator[NamedOperation]:
    yield from _rows("mail", "list preview", "set-password test")
    yield NamedOperation("mail.retry", Permission.MAIL_RETRY, changes=True)
    yield from _rows("webhooks", "list show", "add disable enable remove replay rotate-secret test")
    yield from _rows("abuse", "rules list show", "tune undo")
    yield NamedOperation("abuse.ack", Permission.ABUSE_ACK, changes=True)
    yield from _rows("abuse", changes="watch report", own=True)
    yield from _rows("secrets", "status", "rotate", of="instance")
    yield from _rows("oidc", "check", "set-secret", of="instance")
    yield NamedOperation("backup", Permission.INSTANCE_WRITE, changes=True)  # it keeps when the last one was made
    yield NamedOperation("drill", Permission.INSTANCE_READ, changes=False)
    yield NamedOperation("apply", None, changes=True)  # each part of it asks for the permission of its own command
    yield NamedOperation("connect", Permission.KEYS_WRITE, changes=True)
    yield NamedOperation("quickstart", Permission.INSTANCE_WRITE, changes=True)


OPERATIONS: Final[Mapping[str, NamedOperation]] = MappingProxyType({each.name: each for each in _table()})
"""The operation of each name."""
