"""Builds a message of text and HTML (RFC 5322), in which no value can become a header or a recipient."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

_MOST_SUBJECT_LETTERS = 150
_JOINERS = "\u200c\u200d"
"""The zero-width letters that spelling and emoji need. All other invisible letters are left out of headers."""


@dataclass(frozen=True, slots=True)
class MessageSender:
    """Who messages come from, as the operator set it."""

    address: str
    name: str
    reply_to: str | None = None

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class RenderedNotice:
    """The texts of a message."""

    subject: str
    text: str
    html: str


def build(sender: MessageSender, recipient: str, rendered: RenderedNotice, name: str, sent_at: datetime) -> bytes:
    """Returns the message as it goes on the wire, in 7-bit lines that end with CR LF.

    `name` makes the Message-ID, which is the same for each attempt. A mailbox that gets a message twice can see that.
    `Auto-Submitted` (RFC 3834) keeps answering machines from answering.
    """
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(header_text(sender.name), addr_spec=sender.address)
    message["To"] = Address(addr_spec=recipient)
    if sender.reply_to is not None:
        message["Reply-To"] = Address(addr_spec=sender.reply_to)
    message["Subject"] = header_text(rendered.subject)[:_MOST_SUBJECT_LETTERS]
    message["Date"] = sent_at
    message["Message-ID"] = f"<{name}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(rendered.text, cte="quoted-printable")
    message.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
    return message.as_bytes()


def header_text(text: str) -> str:
    """Returns the text as one line: what breaks lines becomes a space, and what nobody sees is left out.

    The beginning of an encoded word (RFC 2047) is broken up. Python's headers decode such words in what they are given,
    and write the line breaks of the result into the message, so that a name could add a header.
    """
    kept = "".join(_header_letter(letter) for letter in text)
    return " ".join(kept.replace("=?", "= ?").split())


def _header_letter(letter: str) -> str:
    if letter in _JOINERS:
        return letter
    kind = unicodedata.category(letter)
    if kind in ("Cc", "Zl", "Zp", "Zs"):
        return " "
    return "" if kind[0] == "C" else letter
