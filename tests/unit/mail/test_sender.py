from __future__ import annotations

from email import message_from_bytes

import pytest
from support.books import NOW_US, StoppedClock

from softix_proxy.domain.notices.contents import ACTION
from softix_proxy.domain.notices.outbox import Notice, NoticeKind, NoticeState, QueuedNotice
from softix_proxy.domain.ports.mail import DeliveryError
from softix_proxy.exports.core.texts import texts
from softix_proxy.mail.message import MessageSender
from softix_proxy.mail.sender import MailSender
from softix_proxy.mail.templates import NoticeTemplates
from softix_proxy.mail.transport import OutgoingMessage

QUEUED = QueuedNotice(
    1, "msg_a", Notice(NoticeKind.VERIFY_EMAIL, "ada@example.org"), None, NoticeState.WAITING, 1, 0, None, 5, None
)


class Kept:
    """A transport that keeps what it is given."""

    def __init__(self) -> None:
        self.messages: list[OutgoingMessage] = []
        self.rests = 0

    async def deliver(self, message: OutgoingMessage) -> None:
        self.messages.append(message)

    async def rest(self) -> None:
        self.rests += 1


def sender(kept: Kept, clock: StoppedClock, url: str | None = "https://portal.example.org") -> MailSender:
    return MailSender(kept, NoticeTemplates(texts(), url), MessageSender("softix@example.org", "softix"), clock)


async def test_notice_is_sent_to_its_address_alone_and_with_one_id_at_each_attempt() -> None:
    kept, clock = Kept(), StoppedClock(NOW_US)
    made = sender(kept, clock)
    for _ in range(2):
        await made.send(QUEUED, {ACTION: "/verify?token=abc"})
        clock.us += 60_000_000
    await made.rest()
    first, second = kept.messages
    assert (first.name, first.sender, first.recipient) == ("5-msg_a", "softix@example.org", "ada@example.org")
    ids = {message_from_bytes(message.raw)["Message-ID"] for message in kept.messages}
    assert ids == {"<msg_a@example.org>"} and first.raw != second.raw and kept.rests == 1
    assert b"https://portal.example.org/verify?token=3Dabc" in first.raw


async def test_notice_that_cannot_be_made_is_not_handed_on() -> None:
    kept = Kept()
    with pytest.raises(DeliveryError):
        await sender(kept, StoppedClock(), None).send(QUEUED, {ACTION: "/verify?token=abc"})
    assert kept.messages == []
