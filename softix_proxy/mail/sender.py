"""Turns a notice of the outbox into a message, and hands it to the transport."""

from __future__ import annotations

from collections.abc import Mapping

from softix_proxy.domain.core.clock import Clock, from_us
from softix_proxy.domain.notices.outbox import QueuedNotice
from softix_proxy.mail.message import MessageSender, build
from softix_proxy.mail.templates import NoticeTemplates
from softix_proxy.mail.transport import MailTransport, OutgoingMessage


class MailSender:
    """Sends notices as e-mail. It implements `domain.ports.mail.NoticeSender`."""

    def __init__(
        self, transport: MailTransport, templates: NoticeTemplates, sender: MessageSender, clock: Clock
    ) -> None:
        self._transport = transport
        self._templates = templates
        self._sender = sender
        self._clock = clock

    async def send(self, queued: QueuedNotice, links: Mapping[str, str]) -> None:
        await self._transport.deliver(self.compose(queued, links))

    async def rest(self) -> None:
        await self._transport.rest()

    def compose(self, queued: QueuedNotice, links: Mapping[str, str]) -> OutgoingMessage:
        """Returns the finished message. Raises DeliveryError."""
        rendered = self._templates.render(queued.notice, links)
        recipient = queued.notice.email
        raw = build(self._sender, recipient, rendered, queued.public_id, from_us(self._clock.now_us()))
        return OutgoingMessage(f"{queued.created_at_us}-{queued.public_id}", self._sender.address, recipient, raw)
