from __future__ import annotations

import pytest

from softix_proxy.domain.ports.mail import DeliveryError, DeliveryFault
from softix_proxy.mail.transport import NoTransport, OutgoingMessage

MESSAGE = OutgoingMessage("1-msg_a", "softix@example.org", "ada@example.org", b"private")


async def test_message_is_given_up_at_once_if_mail_is_off() -> None:
    with pytest.raises(DeliveryError) as failed:
        await NoTransport().deliver(MESSAGE)
    assert (failed.value.fault, failed.value.permanent) == (DeliveryFault.OFF, True)
    await NoTransport().rest()


def test_message_shows_nobody_in_its_repr() -> None:
    assert repr(MESSAGE) == "OutgoingMessage(name='1-msg_a')"
