"""The port by which events leave, and the reasons for which one does not arrive."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple, Protocol


class WebhookFault(StrEnum):
    """The class of a failure. Nothing that a receiver wrote is stored or logged."""

    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed_out"
    BROKE_OFF = "broke_off"
    TLS_FAILED = "tls_failed"
    PRIVATE_ADDRESS = "private_address"
    REDIRECTED = "redirected"
    GONE = "gone"
    REFUSED = "refused"
    """The receiver answered with another status than 2xx."""
    SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105 # this is the name of a failure
    DISABLED = "disabled"
    """The endpoint was disabled while the event waited."""
    INTERNAL = "internal"


class WebhookAnswer(NamedTuple):
    """What is known of one attempt."""

    status_code: int | None
    fault: WebhookFault | None
    """None if the event arrived."""


class WebhookPost(Protocol):
    """Sends one request, and looks at nothing but the status of its answer."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, *, allow_private: bool) -> WebhookAnswer:
        """Returns once the receiver has answered, or once it is clear that it does not. It follows no redirect."""
        ...
