"""Against a real mail server on this machine, by every way in which one can disappoint."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.certificates import write_pair
from support.mail_server import DIES, HANGS, MailServer, mail_server, silent_server

from softix_proxy.domain.core.clock import from_us
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.notices.mail_section import MailSection
from softix_proxy.domain.ports.mail import DeliveryError, DeliveryFault
from softix_proxy.mail.message import MessageSender, RenderedNotice, build
from softix_proxy.mail.smtp_transport import SmtpTransport
from softix_proxy.mail.transport import OutgoingMessage

SECTION = MailSection(
    transport="smtp", host="127.0.0.1", security="none", from_address="softix@example.org", timeout_s=5
)
PASSWORD = secrets.token_urlsafe(12)


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    return write_pair(tmp_path, "mail.example.org")


def message(name: str = "1-msg_a") -> OutgoingMessage:
    rendered = RenderedNotice("Zoë", "First\n.\nQUIT\n.dot\nlast\n", "<p>Zoë</p>")
    raw = build(MessageSender("softix@example.org", "softix"), "ada@example.org", rendered, name, from_us(10**15))
    return OutgoingMessage(name, "softix@example.org", "ada@example.org", raw)


def transport(port: int, password: str | None = None, **changes: Any) -> SmtpTransport:
    async def read() -> str | None:
        return password

    return SmtpTransport(replace(SECTION, port=port, **changes), read)


async def sent(made: SmtpTransport) -> None:
    try:
        await made.deliver(message())
    finally:
        await made.rest()


async def fault(made: SmtpTransport) -> DeliveryError:
    with pytest.raises(DeliveryError) as failed:
        await sent(made)
    error = failed.value
    assert error.__cause__ is None and error.__suppress_context__
    assert "@" not in f"{error} {error!r} {error.args}"
    return error


async def test_message_arrives_as_it_is_with_one_sender_and_one_recipient() -> None:
    async with mail_server() as server:
        made, one = transport(server.port), message()
        await made.deliver(one)
        await made.rest()
        [received] = server.received
        assert (received.sender, received.recipients) == ("softix@example.org", ("ada@example.org",))
        assert received.raw.rstrip() == one.raw.rstrip()
        assert received.part("plain") == "First\n.\nQUIT\n.dot\nlast\n"


async def test_messages_in_a_row_share_one_connection() -> None:
    async with mail_server() as server:
        made = transport(server.port)
        for number in range(3):
            await made.deliver(message(f"{number}"))
        await made.rest()
        await made.deliver(message("4"))
        await made.rest()
        assert (len(server.received), server.connections) == (4, 2)


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_message_over_an_encrypted_connection_arrives_and_the_password_with_it(
    security: str, certificate: tuple[Path, Path]
) -> None:
    pair = ("softix", PASSWORD)
    async with mail_server(certificate=certificate, implicit_tls=security == "tls", password=pair) as server:
        await sent(transport(server.port, PASSWORD, security=security, user="softix", ca_file=certificate[0]))
        assert [each.encrypted for each in server.received] == [True]
        assert server.logins == [(*pair, True)]


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_server_with_a_certificate_of_an_unknown_authority_gets_nothing(
    security: str, certificate: tuple[Path, Path]
) -> None:
    pair = ("softix", PASSWORD)
    async with mail_server(certificate=certificate, implicit_tls=security == "tls", password=pair) as server:
        error = await fault(transport(server.port, PASSWORD, security=security, user="softix"))
        assert (error.fault, error.permanent) == (DeliveryFault.TLS_FAILED, False)
        assert (server.received, server.logins) == ([], [])


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_server_with_a_certificate_of_another_name_gets_nothing(
    security: str, certificate: tuple[Path, Path]
) -> None:
    async with mail_server(certificate=certificate, implicit_tls=security == "tls") as server:
        made = transport(server.port, security=security, host="localhost", ca_file=certificate[0])
        assert (await fault(made)).fault is DeliveryFault.TLS_FAILED
        assert server.received == []


async def test_server_that_offers_no_starttls_gets_neither_the_password_nor_a_message() -> None:
    async with mail_server(password=("softix", PASSWORD)) as server:
        error = await fault(transport(server.port, PASSWORD, security="starttls", user="softix"))
        assert error.fault is DeliveryFault.TLS_FAILED
        assert (server.received, server.logins) == ([], [])


async def test_wrong_password_is_a_fault_of_the_login() -> None:
    async with mail_server(password=("softix", PASSWORD)) as server:
        error = await fault(transport(server.port, "wrong", user="softix"))
        assert (error.fault, error.permanent, server.received) == (DeliveryFault.LOGIN_REFUSED, False, [])


async def test_server_without_a_login_gets_no_message_of_a_user() -> None:
    async with mail_server() as server:
        assert (await fault(transport(server.port, PASSWORD, user="softix"))).fault is DeliveryFault.LOGIN_REFUSED
        assert server.received == []


async def test_missing_password_makes_no_connection() -> None:
    async def read() -> str | None:
        raise FailureError("no password")

    async with mail_server() as server:
        made = SmtpTransport(replace(SECTION, port=server.port, user="softix"), read)
        assert (await fault(made)).fault is DeliveryFault.NO_PASSWORD
        assert server.connections == 0


@pytest.mark.parametrize(
    ("answer", "wanted", "permanent"),
    [
        ("550 5.1.1 ada@example.org is unknown", DeliveryFault.RECIPIENT_REFUSED, True),
        ("553 no such mailbox", DeliveryFault.RECIPIENT_REFUSED, True),
        ("550 5.7.1 relaying denied", DeliveryFault.SENDER_REFUSED, False),
        ("450 4.2.0 greylisted", DeliveryFault.TEMPORARY, False),
    ],
)
async def test_refused_recipient_is_permanent_unless_waiting_or_the_operator_can_help(
    answer: str, wanted: DeliveryFault, permanent: bool
) -> None:
    async with mail_server(to_recipients=[answer]) as server:
        error = await fault(transport(server.port))
        assert (error.fault, error.permanent, server.received) == (wanted, permanent, [])


@pytest.mark.parametrize(
    ("answer", "wanted", "permanent"),
    [
        ("554 5.6.0 content of ada@example.org", DeliveryFault.MESSAGE_REFUSED, True),
        ("550 5.7.26 SPF fails", DeliveryFault.SENDER_REFUSED, False),
        ("451 4.3.0 try later", DeliveryFault.TEMPORARY, False),
        (DIES, DeliveryFault.BROKE_OFF, False),
    ],
)
async def test_refused_message_is_permanent_unless_waiting_or_the_operator_can_help(
    answer: str, wanted: DeliveryFault, permanent: bool
) -> None:
    async with mail_server(to_data=[answer]) as server:
        error = await fault(transport(server.port))
        assert (error.fault, error.permanent) == (wanted, permanent)


async def test_connection_after_a_refused_recipient_serves_the_next_message() -> None:
    async with mail_server(to_recipients=["550 5.1.1 unknown"]) as server:
        made = transport(server.port)
        with pytest.raises(DeliveryError):
            await made.deliver(message())
        await made.deliver(message())
        await made.rest()
        assert (len(server.received), server.connections) == (1, 1)


async def test_message_after_a_temporary_refusal_and_after_a_break_is_sent_over_a_new_connection() -> None:
    async with mail_server(to_data=["451 4.3.0 later", DIES]) as server:
        made, one = transport(server.port), message()
        for _ in range(2):
            with pytest.raises(DeliveryError):
                await made.deliver(one)
        await made.deliver(one)
        await made.rest()
        assert [len({each.raw for each in server.received}), server.connections] == [1, 3]


async def test_server_that_hangs_is_left_in_time() -> None:
    async with mail_server(to_data=[HANGS]) as server:
        assert (await fault(transport(server.port, timeout_s=0.2))).fault is DeliveryFault.TIMED_OUT


@pytest.mark.parametrize("greeting", [b"", b"220-mail\r\n", b"220 mail\r\n"])
async def test_server_that_is_silent_is_left_in_time(greeting: bytes) -> None:
    async with silent_server(greeting) as port:
        assert (await fault(transport(port, timeout_s=0.2))).fault is DeliveryFault.TIMED_OUT


@pytest.mark.parametrize(
    ("greeting", "wanted"),
    [
        (b"554 5.3.2 go away\r\n", DeliveryFault.UNREACHABLE),
        (b"421 4.3.2 too busy\r\n", DeliveryFault.TEMPORARY),
        (b"SSH-2.0-OpenSSH_9\r\n", DeliveryFault.BROKE_OFF),
    ],
)
async def test_server_that_greets_otherwise_is_left(greeting: bytes, wanted: DeliveryFault) -> None:
    async with silent_server(greeting) as port:
        assert (await fault(transport(port, timeout_s=1))).fault is wanted


async def test_port_where_nobody_listens_is_unreachable() -> None:
    async with silent_server() as port:
        pass
    assert (await fault(transport(port))).fault is DeliveryFault.UNREACHABLE


async def test_authority_that_is_no_certificate_is_a_fault_of_tls(tmp_path: Path) -> None:
    tmp_path.joinpath("ca.pem").write_text("nothing")
    async with mail_server() as server:
        made = transport(server.port, security="tls", ca_file=tmp_path / "ca.pem")
        assert (await fault(made)).fault is DeliveryFault.TLS_FAILED


async def test_check_logs_in_and_sends_nothing() -> None:
    async with mail_server(password=("softix", PASSWORD)) as server:
        await transport(server.port, PASSWORD, user="softix").check()
        assert ([user for user, *_ in server.logins], server.received) == (["softix"], [])
        with pytest.raises(DeliveryError):
            await transport(server.port, "wrong", user="softix").check()


async def test_sending_that_is_cancelled_leaves_no_connection_open() -> None:
    server: MailServer
    async with mail_server(to_data=[HANGS]) as server:
        made = transport(server.port)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await made.deliver(message())
        await made.deliver(message())
        await made.rest()
        assert server.connections == 2
