"""The operations on the outbox: add a message, and list, retry and purge what is there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from softix_proxy.domain.access.identity import is_email
from softix_proxy.domain.core.clock import DAY_US, format_instant
from softix_proxy.domain.core.errors import BadInputError, ConflictError, FailureError, NotFoundError
from softix_proxy.domain.core.ids import new_public_id
from softix_proxy.domain.notices.notice_preferences import OPTIONAL_KINDS
from softix_proxy.domain.notices.outbox import Notice, NoticeState, QueuedNotice
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.operations.core.bound_secret import SealedCount


async def enqueue(unit: Unit, vault: Vault | None, notice: Notice) -> bool:
    """Adds the message to the outbox, in the caller's transaction. A job sends it. Only links need the vault.

    Returns False if there is one with the same `once`, or if the person switched its kind off. Raises BadInputError if
    the address is not one plain address.
    """
    if not is_email(notice.email):
        raise BadInputError("a message has an address to which no mail can be sent", "give one plain e-mail address")
    if notice.account_id is not None and notice.kind in OPTIONAL_KINDS:
        muted = await unit.notice_preferences.muted(notice.account_id)
        if notice.kind in muted:
            return False
    public_id = new_public_id("msg")
    sealed = None
    if notice.links:
        if vault is None:
            raise ValueError("links are sealed, and there is no vault")
        sealed = vault.seal_secret(json.dumps(dict(notice.links)), *links_place(public_id, notice.email))
    return await unit.outbox.add(notice, public_id, sealed, unit.clock.now_us())


def links_place(public_id: str, email: str) -> tuple[str, ...]:
    """Returns what sealed links are bound to, so that they open for no other message and no other address."""
    return ("outbox", public_id, "links", email)


def open_links(vault: Vault, queued: QueuedNotice) -> Mapping[str, str]:
    """Returns the links of a message. Raises FailureError if they do not open."""
    if queued.sealed_links is None:
        return {}
    opened = vault.open_secret(queued.sealed_links, *links_place(queued.public_id, queued.notice.email))
    links: dict[str, str] = json.loads(opened)
    return links


async def list_all(storage: Storage, *, state: NoticeState | None = None, limit: int) -> Sequence[QueuedNotice]:
    """Returns messages, the newest first."""
    return await storage.reading().outbox.list(state, limit)


async def counts(storage: Storage) -> Mapping[NoticeState, int]:
    """Returns the number of messages by their state."""
    return await storage.reading().outbox.counts()


async def retry(storage: Storage, public_id: str) -> QueuedNotice:
    """Lets a message that was given up wait again. Raises NotFoundError, and ConflictError for any other message."""
    async with storage.writing() as unit:
        queued = await find(unit, public_id)
        if not await unit.outbox.retry(queued.id, unit.clock.now_us()):
            raise ConflictError(
                f"{queued.public_id} is {queued.state.value}, and only what was given up is tried again",
                "see: softix mail list",
            )
        return await find(unit, public_id)


async def find(unit: Unit, public_id: str) -> QueuedNotice:
    """Returns the message. Raises NotFoundError."""
    queued = await unit.outbox.find(public_id)
    if queued is None:
        raise NotFoundError(f"no message {public_id!r}", "see: softix mail list")
    return queued


async def purge(storage: Storage, keep_days: int) -> int:
    """Deletes the messages that ended longer ago. Returns how many."""
    async with storage.writing() as unit:
        return await unit.outbox.purge(unit.clock.now_us() - keep_days * DAY_US)


def as_fields(queued: QueuedNotice) -> dict[str, Any]:
    """Returns the fields that an operator is shown. Neither values nor links are among them."""
    return {
        "id": queued.public_id,
        "kind": queued.notice.kind.value,
        "to": queued.notice.email,
        "state": queued.state.value,
        "attempts": queued.attempts,
        "error": queued.error,
        "created_at": format_instant(queued.created_at_us),
        "next_at": format_instant(queued.next_at_us) if queued.state is NoticeState.WAITING else None,
        "ended_at": format_instant(queued.ended_at_us),
    }


async def rewrap(storage: Storage, vault: Vault) -> int:
    """Wraps the links of all messages anew for the current master key. Returns how many.

    Links that do not open stay as they are: their message cannot be sent, and is given up.
    """
    rewrapped = 0
    for queued in await outstanding(storage.reading(), vault):
        try:
            before = queued.sealed_links or b""
            after = vault.rewrap_secret(before, *links_place(queued.public_id, queued.notice.email))
        except FailureError:
            continue
        async with storage.writing() as unit:
            rewrapped += await unit.outbox.reseal(queued.id, before, after)
    return rewrapped


async def count(unit: Unit, vault: Vault) -> SealedCount:
    """Counts the messages with links."""
    return SealedCount(len(await unit.outbox.with_links()), len(await outstanding(unit, vault)))


async def outstanding(unit: Unit, vault: Vault) -> Sequence[QueuedNotice]:
    """Returns the messages whose links another master key sealed."""
    return [
        queued
        for queued in await unit.outbox.with_links()
        if queued.sealed_links is not None and not _is_current(vault, queued.sealed_links)
    ]


def _is_current(vault: Vault, sealed: bytes) -> bool:
    try:
        return vault.sealed_by(sealed) == vault.master_key_id
    except FailureError:
        return True  # nothing can be done about what is no envelope
