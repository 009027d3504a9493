"""Says in words why a message did not leave, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from softix_proxy.domain.ports.mail import DeliveryFault


class ExplainedFault(NamedTuple):
    message: str
    remedy: str


_EXPLAINED: Mapping[DeliveryFault, ExplainedFault] = {
    DeliveryFault.UNREACHABLE: ExplainedFault(
        "the mail server cannot be reached", "check mail.host and mail.port, and that no firewall stands between"
    ),
    DeliveryFault.TIMED_OUT: ExplainedFault(
        "the mail server did not answer in time", "check mail.port and mail.security, or raise mail.timeout_s"
    ),
    DeliveryFault.BROKE_OFF: ExplainedFault(
        "the mail server broke the connection off", "check mail.port and mail.security, and the server's own log"
    ),
    DeliveryFault.TLS_FAILED: ExplainedFault(
        "the mail server offers no encryption that can be trusted",
        "check that mail.host is the name in its certificate, and mail.port and mail.security; "
        "for an authority of your own set mail.ca_file",
    ),
    DeliveryFault.LOGIN_REFUSED: ExplainedFault(
        "the mail server refused the user name or the password", "check mail.user, and run: softix mail set-password"
    ),
    DeliveryFault.NO_PASSWORD: ExplainedFault(
        "there is no password for this mail server and user", "run: softix mail set-password"
    ),
    DeliveryFault.SENDER_REFUSED: ExplainedFault(
        "the mail server does not accept messages from this sender",
        "check mail.from_address and mail.user, and what the server's provider demands of senders",
    ),
    DeliveryFault.RECIPIENT_REFUSED: ExplainedFault(
        "the mail server knows no such recipient", "check the address of the account"
    ),
    DeliveryFault.MESSAGE_REFUSED: ExplainedFault(
        "the mail server refused the message itself", "check mail.from_address, SPF and DKIM of its domain"
    ),
    DeliveryFault.TEMPORARY: ExplainedFault("the mail server asked to try again later", "wait: softix tries again"),
    DeliveryFault.FOLDER_UNWRITABLE: ExplainedFault(
        "the folder of messages cannot be written", "check mail.folder, its owner and mode, and the space on the disk"
    ),
    DeliveryFault.TEMPLATE_FAILED: ExplainedFault("a template failed", "see which: softix doctor --only mail"),
    DeliveryFault.LINKS_UNREADABLE: ExplainedFault(
        "the links of the message do not open any more", "let the person ask for a new message"
    ),
    DeliveryFault.NO_PUBLIC_URL: ExplainedFault(
        "the message has a link, and softix does not know its own address", "set portal.public_url"
    ),
    DeliveryFault.OFF: ExplainedFault("mail is turned off", "set mail.transport to file or smtp"),
    DeliveryFault.INTERNAL: ExplainedFault("the message could not be made", "see the log of softix"),
}


def explained(fault: DeliveryFault) -> ExplainedFault:
    """Returns what is wrong and what to do, without an address."""
    return _EXPLAINED[fault]
