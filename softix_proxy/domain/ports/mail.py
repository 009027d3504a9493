"""The port through which messages leave, and the reasons for which one does not."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from softix_proxy.domain.notices.outbox import QueuedNotice


class DeliveryFault(StrEnum):
    """The class of a failure. It is all that is stored and logged, since servers quote addresses in their replies."""

    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed_out"
    BROKE_OFF = "broke_off"
    TLS_FAILED = "tls_failed"
    LOGIN_REFUSED = "login_refused"
    NO_PASSWORD = "no_password"  # noqa: S105 # this is the name of a failure
    SENDER_REFUSED = "sender_refused"
    RECIPIENT_REFUSED = "recipient_refused"
    MESSAGE_REFUSED = "message_refused"
    TEMPORARY = "temporary"
    """The server asked to be tried again later."""
    FOLDER_UNWRITABLE = "folder_unwritable"
    TEMPLATE_FAILED = "template_failed"
    LINKS_UNREADABLE = "links_unreadable"
    NO_PUBLIC_URL = "no_public_url"
    OFF = "off"
    """The operator turned mail off."""
    INTERNAL = "internal"


OF_THE_SERVER = frozenset(
    (
        DeliveryFault.UNREACHABLE,
        DeliveryFault.TIMED_OUT,
        DeliveryFault.TLS_FAILED,
        DeliveryFault.LOGIN_REFUSED,
        DeliveryFault.NO_PASSWORD,
        DeliveryFault.FOLDER_UNWRITABLE,
    )
)
"""The failures that every further message would meet as well."""


class DeliveryError(Exception):
    """A message did not leave. It holds no address, and nothing that a server wrote."""

    def __init__(self, fault: DeliveryFault, *, permanent: bool = False) -> None:
        super().__init__(fault.value)
        self.fault = fault
        self.permanent = permanent
        """Whether another attempt is useless, because the address does not exist."""


class NoticeSender(Protocol):
    """Makes the message of a notice and hands it on."""

    async def send(self, queued: QueuedNotice, links: Mapping[str, str]) -> None:
        """Returns once the other side has accepted the message. Raises DeliveryError."""
        ...

    async def rest(self) -> None:
        """Ends what is open for further messages, such as a connection. It is called when there is none."""
        ...
