"""What a transport takes: a finished message, with its sender and its one recipient."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from softix_proxy.domain.ports.mail import DeliveryError, DeliveryFault


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A message as it goes on the wire. Sender and recipient are the envelope's, and no header is read for them."""

    name: str
    """A name that is the same at each attempt. It sorts by time."""
    sender: str = field(repr=False)
    recipient: str = field(repr=False)
    raw: bytes = field(repr=False)


class MailTransport(Protocol):
    """Hands messages on."""

    async def deliver(self, message: OutgoingMessage) -> None:
        """Returns once the other side has accepted the message. Raises DeliveryError."""
        ...

    async def rest(self) -> None:
        """Closes what is open for further messages. The next message opens it again."""
        ...


class NoTransport:
    """Refuses every message, because the operator turned mail off. It can be tried again by hand later."""

    async def deliver(self, message: OutgoingMessage) -> None:
        raise DeliveryError(DeliveryFault.OFF, permanent=True)

    async def rest(self) -> None:
        return None
