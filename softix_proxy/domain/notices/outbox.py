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


class OutboxStore(Protocol):
    """Keeps the messages until they are sent. `operations.notices.outbox.enqueue` seals the links and calls it."""

    async def add(self, notice: Notice, sealed_links: bytes | None, now_us: int) -> bool:
        """Adds the message. Returns False if there is one with the same `once`."""
        ...

    async def due(self, now_us: int, limit: int) -> Sequence[QueuedNotice]: ...

    async def sent(self, notice_id: int, now_us: int) -> None: ...

    async def failed(self, notice_id: int, next_at_us: int | None, error: str) -> None:
        """Notes a failure by its class, without the address. No further time means that softix gave up."""
        ...


@dataclass(frozen=True, slots=True)
class QueuedNotice:
    id: int
    notice: Notice
    sealed_links: bytes | None = field(repr=False)
    attempts: int
    created_at_us: int
