"""The audit: who did what to what, as a chain of hashes.

An entry has ids, numbers and the words of softix, and no free text. So a person can be erased and the chain stays
whole, and a missing or changed entry shows.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from typing import Final, Protocol

AuditValue = str | int | None
FIRST_VERSION: Final = 1
"""Entries of this version have an actor, an action and a subject only. They verify by the rule of their time."""
VERSION: Final = 2


class ActorKind(StrEnum):
    """What the id of an actor is the id of."""

    ACCOUNT = "account"
    TOKEN = "token"  # noqa: S105 # a kind of actor, and no secret
    OS_USER = "os-user"
    """A user of the operating system, by its number. Whoever can write the database can do anything."""
    NOBODY = "nobody"
    """Somebody who has not signed in, such as a person who registers."""


class Channel(StrEnum):
    """The way in through which somebody came."""

    CLI = "cli"
    PORTAL = "portal"
    API = "api"


class Outcome(StrEnum):
    DONE = "done"
    REFUSED = "refused"
    """The actor lacked the permission. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class AuditChange:
    """One row that was added, changed or removed."""

    kind: str
    """What it is, such as `key`."""
    id: str
    before: Mapping[str, AuditValue] | None
    """The values that were replaced. None if it was added."""
    after: Mapping[str, AuditValue] | None
    """The values that it has now. None if it was removed."""
    hidden: tuple[str, ...] = ()
    """What else was changed: secrets and free text, whose values stay out of the audit."""

    @property
    def differences(self) -> Sequence[tuple[str, AuditValue, AuditValue]]:
        """The name of each value with what it was and what it is. None stands for a value that is not set."""
        before, after = self.before or {}, self.after or {}
        return [(name, before.get(name), after.get(name)) for name in {**before, **after}]


@dataclass(frozen=True, slots=True)
class AuditActor:
    kind: ActorKind
    id: str
    """The public id of an account or a token, or the number of a user of the operating system."""
    channel: Channel


@dataclass(frozen=True, slots=True)
class AuditEntry:
    id: int
    """The number in the chain. The first has 1, and none is missing."""
    at_us: int
    actor: str
    """The id of the actor. It is no reference: what it names may be erased."""
    action: str
    """The name of the operation, such as `keys.revoke`. Entries of the first version have names of their own."""
    subject: str
    """The public id of what was changed first, or the name of a model. It is never free text."""
    sha256: bytes = b""
    """The hash of the entry before and of this one."""
    version: int = FIRST_VERSION
    actor_kind: ActorKind = ActorKind.ACCOUNT
    channel: Channel = Channel.PORTAL
    outcome: Outcome = Outcome.DONE
    changes: str = "[]"
    """The changes as JSON, as it was hashed. `changes_of` reads it."""


FIRST = bytes(32)
"""What stands for the hash before the first entry."""


def chained(previous_sha256: bytes, entry: AuditEntry) -> AuditEntry:
    """Returns the entry with its hash: SHA-256 of the hash before and of the entry's values as a JSON array."""
    told: list[object] = [entry.id, entry.at_us, entry.actor, entry.action, entry.subject]
    if entry.version != FIRST_VERSION:
        told = [entry.version, *told, entry.actor_kind, entry.channel, entry.outcome, entry.changes]
    text = json.dumps(told, ensure_ascii=True)
    return replace(entry, sha256=sha256(previous_sha256 + text.encode()).digest())


def as_text(changes: Sequence[AuditChange]) -> str:
    """Returns changes as JSON, one object each: kind, id, before, after, and the names of hidden values."""
    listed = [
        {"kind": each.kind, "id": each.id, "before": each.before, "after": each.after, "hidden": list(each.hidden)}
        for each in changes
    ]
    return json.dumps(listed, ensure_ascii=True, separators=(",", ":"))


def changes_of(entry: AuditEntry) -> Sequence[AuditChange]:
    return [
        AuditChange(each["kind"], each["id"], each["before"], each["after"], tuple(each["hidden"]))
        for each in json.loads(entry.changes)
    ]


class AuditStore(Protocol):
    """Stores the audit. Nothing in it is changed or removed, and triggers of the database refuse it."""

    async def add(
        self, actor: AuditActor, action: str, subject: str, outcome: Outcome, changes: Sequence[AuditChange] = ()
    ) -> AuditEntry:
        """Adds the next entry of the chain, within the transaction of what was done."""
        ...

    async def changes(self) -> Sequence[AuditChange]:
        """Returns what this transaction has changed so far. It must have been opened with `recorded`."""
        ...

    async def find(self, number: int) -> AuditEntry | None: ...

    async def page(self, before_id: int | None, limit: int) -> Sequence[AuditEntry]:
        """Returns the newest entries, or those before that number, the newest first."""
        ...

    def entries(self, after_id: int = 0) -> AsyncIterator[Sequence[AuditEntry]]:
        """Yields the entries after that number, the oldest first, some at a time."""
        ...
