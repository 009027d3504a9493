"""A message as mailboxes read it: parsed again, by the headers that it has on the wire."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest

from softix_proxy.mail.message import MessageSender, RenderedNotice, build, header_text

AT = datetime(2026, 11, 30, 18, 15, tzinfo=UTC)
SENDER = MessageSender("softix@example.org", "softix")
HEADERS = {
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "auto-submitted",
    "mime-version",
    "content-type",
}
HOSTILE = (
    "x\r\nBcc: eve@example.org",
    "x\nBcc: eve@example.org",
    "x\rBcc: eve@example.org",
    "x\r\n\r\n<b>body</b>",
    "x\u2028Bcc: eve@example.org",
    "x\u0085Bcc: eve@example.org",
    "x\0y",
    'Ada" <eve@example.org>, "',
    "ada@example.org, eve@example.org",
    "=?utf-8?q?x=0D=0ABcc=3A_eve=40example=2Eorg?=",
    "\u202egro.elpmaxe@eve",
    "Zoë O’Brien 👩\u200d💻 " * 12,
)


def parsed(**changes: Any) -> EmailMessage:
    options = {"recipient": "ada@example.org", "rendered": RenderedNotice("Hello", "text\n", "<p>html</p>")} | changes
    sender = options.pop("sender", SENDER)
    raw = build(sender, options["recipient"], options["rendered"], "msg_a", AT)
    assert b"\n" not in raw.replace(b"\r\n", b"") and b"\r" not in raw.replace(b"\r\n", b"")
    assert raw.isascii() and max(map(len, raw.split(b"\r\n"))) <= 998
    message: Any = message_from_bytes(raw, policy=SMTP)
    return message


def addresses(message: EmailMessage, header: str) -> list[str]:
    field: Any = message[header]
    return [address.addr_spec for address in field.addresses]


def parts(message: EmailMessage) -> list[tuple[str, str]]:
    """The kind and the text of each part, with the line ends that the text had."""
    found: Any = message.iter_parts()
    return [(part.get_content_type(), part.get_content().replace("\r\n", "\n")) for part in found]


def test_message_has_its_headers_and_both_parts() -> None:
    message = parsed()
    assert {name.lower() for name in message} == HEADERS
    assert message["From"] == "softix <softix@example.org>" and message["To"] == "ada@example.org"
    assert message["Date"].datetime == AT and message["Message-ID"] == "<msg_a@example.org>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert parts(message) == [("text/plain", "text\n"), ("text/html", "<p>html</p>\n")]


def test_message_to_another_address_for_answers_says_so() -> None:
    message = parsed(sender=MessageSender("softix@example.org", "softix", "help@example.org"))
    assert addresses(message, "Reply-To") == ["help@example.org"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_name_in_the_sender_or_the_subject_adds_no_header_and_no_recipient(text: str) -> None:
    rendered = RenderedNotice(text, "text", "html")
    message = parsed(sender=MessageSender("softix@example.org", text), rendered=rendered)
    assert {name.lower() for name in message} == HEADERS
    assert addresses(message, "To") == ["ada@example.org"]
    assert addresses(message, "From") == ["softix@example.org"]
    assert parts(message) == [("text/plain", "text\n"), ("text/html", "html\n")]
    assert "\n" not in message["Subject"] and "\u202e" not in message["Subject"]


@pytest.mark.parametrize("address", ["a@x.example,b@x.example", "a@x.example\r\nBcc: b@x.example", "", "a@b@c"])
def test_hostile_address_makes_no_message(address: str) -> None:
    with pytest.raises(Exception):  # noqa: B017 - each in its own way; none of them gets here past the outbox
        parsed(recipient=address)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_in_the_body_stays_in_the_body(text: str) -> None:
    message = parsed(rendered=RenderedNotice("Hello", f"before {text} after\n", f"<p>{text}</p>"))
    assert {name.lower() for name in message} == HEADERS
    assert [kind for kind, _ in parts(message)] == ["text/plain", "text/html"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\r\n b", "a b"),
        ("  a\tb ", "a b"),
        ("a\u200db", "a\u200db"),
        ("\u202ea\u200b\x00b", "a b"),
        ("Zoë", "Zoë"),
        ("=?utf-8?q?x?=", "= ?utf-8?q?x?="),
    ],
)
def test_text_of_a_header_is_one_line_without_what_nobody_sees(text: str, shown: str) -> None:
    assert header_text(text) == shown
