"""A real mail server for tests (aiosmtpd), on a free port of this machine. It says what a test tells it to."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

OK = "250 2.0.0 accepted"
HANGS = "hangs"
"""An answer to the data: the server never gives one."""
DIES = "dies"
"""The server has the data, and breaks the connection off before it says so."""


@dataclass(frozen=True)
class Received:
    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    encrypted: bool

    @property
    def message(self) -> EmailMessage:
        parsed: Any = message_from_bytes(self.raw, policy=SMTP_POLICY)
        return parsed

    def part(self, kind: str) -> str:
        """The text of the part `plain` or `html`."""
        body = self.message.get_body((kind,))
        assert body is not None
        return str(body.get_content()).replace("\r\n", "\n")


@dataclass
class MailServer:
    port: int = 0
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    logins: list[tuple[str, str, bool]] = field(default_factory=list)
    """User, password, and whether the connection was encrypted."""
    to_recipients: list[str] = field(default_factory=list)
    """What the next recipients are told. Those after them are accepted."""
    to_data: list[str] = field(default_factory=list)
    """The same for the next messages. What is told OK, or dies, is received."""
    password: tuple[str, str] | None = None
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    """Set with each message."""

    async def wait_for(self, count: int, timeout_s: float = 20) -> list[Received]:
        """Returns when this many messages are here."""
        async with asyncio.timeout(timeout_s):
            while len(self.received) < count:
                self.arrived.clear()
                await self.arrived.wait()
        return self.received

    # What aiosmtpd calls

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        answer = self.to_recipients.pop(0) if self.to_recipients else OK
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        answer = self.to_data.pop(0) if self.to_data else OK
        if answer == HANGS:
            await asyncio.Event().wait()
        if answer.startswith("2") or answer == DIES:
            is_encrypted = server.transport.get_extra_info("sslcontext") is not None
            self.received.append(Received(envelope.mail_from, tuple(envelope.rcpt_tos), envelope.content, is_encrypted))
            self.arrived.set()
        if answer == DIES:
            server.transport.abort()
        return answer

    def check(self, server: SMTP, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        pair = (data.login.decode(), data.password.decode())
        self.logins.append((*pair, server.transport.get_extra_info("sslcontext") is not None))
        return AuthResult(success=pair == self.password, handled=False)


@asynccontextmanager
async def mail_server(
    *,
    certificate: tuple[Path, Path] | None = None,
    implicit_tls: bool = False,
    password: tuple[str, str] | None = None,
    to_data: Iterable[str] = (),
    to_recipients: Iterable[str] = (),
) -> AsyncIterator[MailServer]:
    """Without a certificate it offers no encryption. With one it offers STARTTLS, or speaks TLS from the start."""
    told = MailServer(password=password, to_data=list(to_data), to_recipients=list(to_recipients))
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
    sessions: list[SMTP] = []

    def protocol() -> SMTP:
        told.connections += 1
        sessions.append(
            SMTP(
                told,
                hostname="mail.example.org",
                ident="tests",
                tls_context=None if implicit_tls else context,
                loop=asyncio.get_running_loop(),
                authenticator=told.check if password else None,
                auth_require_tls=False,
            )
        )
        return sessions[-1]

    async with _listening(protocol, context if implicit_tls else None) as told.port:
        try:
            yield told
        finally:
            for session in sessions:
                if session.transport is not None:
                    session.transport.close()


@asynccontextmanager
async def silent_server(greeting: bytes = b"") -> AsyncIterator[int]:
    """Accepts connections, says the greeting, and nothing more."""
    async with _listening(lambda: _Silent(greeting), None) as port:
        yield port


class _Silent(asyncio.Protocol):
    def __init__(self, greeting: bytes) -> None:
        self._greeting = greeting

    def connection_made(self, transport: Any) -> None:
        transport.write(self._greeting)


@asynccontextmanager
async def _listening(protocol: Callable[[], Any], context: ssl.SSLContext | None) -> AsyncIterator[int]:
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
