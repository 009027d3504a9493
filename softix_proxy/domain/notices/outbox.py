"""The outbox: a message is added in the transaction of its cause, and sent once, by a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class NoticeKind(StrEnum):
    """The kinds of messages. Each has a template of its name, and a row in the catalogue of texts."""

    VERIFY_EMAIL = "verify_email"
    ALREADY_REGISTERED = "already_registered"
    RESET_PASSWORD = "reset_password"  # noqa: S105 # this is the name of a message
    NO_PASSWORD = "no_password"  # noqa: S105 # this is the name of a message
    FIRST_SIGN_IN = "first_sign_in"
    INVITATION = "invitation"
    CONFIRM_NEW_EMAIL = "confirm_new_email"
    EMAIL_CHANGED = "email_changed"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 # this is the name of a message
    FACTOR_CHANGED = "factor_changed"
    NEW_SIGN_IN = "new_sign_in"
    KEY_CREATED = "key_created"
    KEY_REVOKED = "key_revoked"
    RECEIPT = "receipt"
    INVOICE = "invoice"
    PAYMENT_FAILED = "payment_failed"
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    AUTO_TOP_UP_PAUSED = "auto_top_up_paused"
    LOW_BALANCE = "low_balance"
    CAP_REACHED = "cap_reached"
    CAP_SHARE = "cap_share"
    BUDGET_REACHED = "budget_reached"
    POLICY_CHANGED = "policy_changed"
    PRIVACY_ANSWER = "privacy_answer"
    ABUSE = "abuse"
    OPERATOR_ALERT = "operator_alert"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Notice:
    """A message to one person."""

    kind: NoticeKind
    email: str = field(repr=False)
    """The stored, verified address. It is never a text from a form, but for the address that is to be verified."""
    values: Mapping[str, str] = field(repr=False, default_factory=dict)
    """What the template shows. It has no secrets."""
    links: Mapping[str, str] = field(repr=False, default_factory=dict)
    """The paths with tokens, below the public URL. They are sealed in the outbox, and removed once it is sent."""
    account_id: int | None = None
    once: str = ""
    """The name of its cause, such as `low_balance:usr_…:5000000:2026-11`. A second notice of the name is dropped."""


class NoticeState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    GIVEN_UP = "given-up"


@dataclass(frozen=True, slots=True)
class QueuedNotice:
    """A message in the outbox."""

    id: int
    public_id: str
    """The id that commands name. The Message-ID is made of it, so that it is the same for each attempt."""
    notice: Notice
    """The message, without its links."""
    sealed_links: bytes | None = field(repr=False)
    state: NoticeState
    attempts: int
    """The number of attempts that were begun. It tells the claims of one message apart."""
    next_at_us: int
    """The time of the next attempt, or the end of the lease of the one that runs."""
    error: str | None
    """The class of the last failure, such as `refused_recipient`. It contains no text of a server or a person."""
    created_at_us: int
    ended_at_us: int | None
    """When it was sent or given up."""


class OutboxStore(Protocol):
    """Keeps the messages until they are sent. `operations.notices.outbox.enqueue` seals the links and calls it."""

    async def add(self, notice: Notice, public_id: str, sealed_links: bytes | None, now_us: int) -> bool:
        """Adds the message. Returns False if there is one with the same `once`."""
        ...

    async def claim(self, now_us: int, until_us: int, limit: int) -> Sequence[QueuedNotice]:
        """Takes messages that are due, so that no other process takes them until `until_us`.

        Those of `contents.FIRST_SENT` come first, and then the oldest.
        """
        ...

    async def sent(self, notice_id: int, now_us: int) -> None:
        """Notes that the message is out, and wipes its links and values."""
        ...

    async def failed(self, claimed: QueuedNotice, next_at_us: int | None, error: str, now_us: int) -> None:
        """Notes a failure by its class, without the address. No further time means that softix gave up.

        It changes nothing if the message was claimed again meanwhile, or if it is sent.
        """
        ...

    async def next_at_us(self) -> int | None:
        """Returns when the next message is due. None if none waits."""
        ...

    async def find(self, public_id: str) -> QueuedNotice | None: ...

    async def list(self, state: NoticeState | None, limit: int) -> Sequence[QueuedNotice]:
        """Returns messages, the newest first."""
        ...

    async def counts(self) -> Mapping[NoticeState, int]: ...

    async def oldest_waiting_us(self) -> int | None:
        """Returns when the oldest message that waits was added. None if none waits."""
        ...

    async def retry(self, notice_id: int, now_us: int) -> bool:
        """Lets a message that was given up wait again, as if it were new. Returns False for any other."""
        ...

    async def reseal(self, notice_id: int, before: bytes, after: bytes) -> bool:
        """Replaces the sealed links. Returns False if they are others by now."""
        ...

    async def with_links(self) -> Sequence[QueuedNotice]:
        """Returns the messages that have sealed links."""
        ...

    async def purge(self, ended_before_us: int) -> int:
        """Deletes the messages that ended before. Returns how many."""
        ...

    async def forget(self, account_id: int, email: str) -> int:
        """Deletes what is kept for a person, whatever its state. Returns how many messages."""
        ...
