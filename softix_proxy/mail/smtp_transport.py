"""Sends messages to a mail server by SMTP (RFC 5321), with STARTTLS (RFC 3207) or TLS from the start (RFC 8314).

The server's certificate is checked. With `starttls`, a server that does not offer it gets nothing: neither the
password nor a message. aiosmtplib's errors hold addresses and replies, so only the class of a failure leaves here.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress

import aiosmtplib

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.notices.mail_section import MailSection
from softix_proxy.domain.ports.mail import DeliveryError, DeliveryFault
from softix_proxy.mail.transport import OutgoingMessage

ReadPassword = Callable[[], Awaitable[str | None]]
"""Returns the password of the settings' user. None means that softix does not log in. Raises FailureError."""
_STEPS = 4
"""The steps that one message may take at most, each as long as mail.timeout_s."""
_LASTING = 500
"""The reply code from which on a refusal is lasting (RFC 5321, 4.2.1)."""
_POLICY = re.compile(r"\d\.7\.\d", re.ASCII)
"""The enhanced status code of a policy (RFC 3463, 3.8): the server does not know us yet, which an operator can mend."""


class SmtpTransport:
    """Sends messages over one connection, which is kept as long as there are more of them."""

    def __init__(self, section: MailSection, password: ReadPassword) -> None:
        self._section = section
        self._password = password
        self._client: aiosmtplib.SMTP | None = None

    async def deliver(self, message: OutgoingMessage) -> None:
        try:
            async with asyncio.timeout(self._section.timeout_s * _STEPS):
                client = await self._connected()
                await _handed_over(client, message)
        except DeliveryError as error:
            if error.fault in _BREAKING:
                self._drop()
            raise
        except TimeoutError:
            self._drop()
            raise DeliveryError(DeliveryFault.TIMED_OUT) from None
        except BaseException:
            self._drop()
            raise

    async def rest(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                await client.quit(timeout=self._section.timeout_s)
            client.close()

    async def check(self) -> None:
        """Connects and logs in as for a message, and sends none. Raises DeliveryError."""
        try:
            async with asyncio.timeout(self._section.timeout_s * _STEPS):
                await self._connected()
        except TimeoutError:
            raise DeliveryError(DeliveryFault.TIMED_OUT) from None
        finally:
            await self.rest()

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._client is not None and self._client.is_connected:
            return self._client
        section = self._section
        try:
            password = await self._password()
        except FailureError:
            raise DeliveryError(DeliveryFault.NO_PASSWORD) from None
        client = aiosmtplib.SMTP(
            hostname=section.host,
            port=section.usual_port,
            local_hostname=(section.from_address or "").rpartition("@")[2] or "localhost",
            timeout=section.timeout_s,
            use_tls=section.security == "tls",
            start_tls=section.security == "starttls",
            tls_context=None if section.security == "none" else await asyncio.to_thread(self._tls_context),
        )
        self._client = client
        await _opened(client)
        if section.user is not None and password is not None:
            await _logged_in(client, section.user, password)
        return client

    def _tls_context(self) -> ssl.SSLContext:
        """Returns a context that checks the name and the certificate. Raises DeliveryError."""
        try:
            context = ssl.create_default_context(cafile=self._section.ca_file)
        except OSError:  # an SSLError is one, too
            raise DeliveryError(DeliveryFault.TLS_FAILED) from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


_BREAKING = frozenset(
    (
        DeliveryFault.UNREACHABLE,
        DeliveryFault.TIMED_OUT,
        DeliveryFault.BROKE_OFF,
        DeliveryFault.TLS_FAILED,
        DeliveryFault.LOGIN_REFUSED,
        DeliveryFault.TEMPORARY,
    )
)
"""The failures after which a connection is not used any more."""


async def _opened(client: aiosmtplib.SMTP) -> None:
    """Connects, with TLS if it is asked for. Raises DeliveryError."""
    try:
        await client.connect()
    except aiosmtplib.SMTPTimeoutError:
        raise DeliveryError(DeliveryFault.TIMED_OUT) from None
    except aiosmtplib.SMTPConnectResponseError as error:
        raise DeliveryError(_temporary_or(DeliveryFault.UNREACHABLE, error.code)) from None
    except aiosmtplib.SMTPConnectError as error:
        of_tls = isinstance(error.__cause__, ssl.SSLError)
        raise DeliveryError(DeliveryFault.TLS_FAILED if of_tls else DeliveryFault.UNREACHABLE) from None
    except aiosmtplib.SMTPServerDisconnected:
        raise DeliveryError(DeliveryFault.BROKE_OFF) from None
    except aiosmtplib.SMTPHeloError as error:
        raise DeliveryError(_temporary_or(DeliveryFault.SENDER_REFUSED, error.code)) from None
    except aiosmtplib.SMTPResponseException as error:  # of STARTTLS, or no reply of a mail server at all
        raise DeliveryError(DeliveryFault.TLS_FAILED if error.code > 0 else DeliveryFault.BROKE_OFF) from None
    except (aiosmtplib.SMTPException, ssl.SSLError):
        raise DeliveryError(DeliveryFault.TLS_FAILED) from None  # STARTTLS is not offered
    except (OSError, ValueError):
        raise DeliveryError(DeliveryFault.UNREACHABLE) from None


async def _logged_in(client: aiosmtplib.SMTP, user: str, password: str) -> None:
    try:
        await client.login(user, password)
    except aiosmtplib.SMTPTimeoutError:
        raise DeliveryError(DeliveryFault.TIMED_OUT) from None
    except aiosmtplib.SMTPServerDisconnected:
        raise DeliveryError(DeliveryFault.BROKE_OFF) from None
    except aiosmtplib.SMTPResponseException as error:
        raise DeliveryError(_temporary_or(DeliveryFault.LOGIN_REFUSED, error.code)) from None
    except aiosmtplib.SMTPException:
        raise DeliveryError(DeliveryFault.LOGIN_REFUSED) from None


async def _handed_over(client: aiosmtplib.SMTP, message: OutgoingMessage) -> None:
    """Sends one message to one recipient. Returns after the server's 250 to the data. Raises DeliveryError."""
    try:
        await client.sendmail(message.sender, [message.recipient], message.raw)
    except aiosmtplib.SMTPSenderRefused as error:
        raise DeliveryError(_temporary_or(DeliveryFault.SENDER_REFUSED, error.code)) from None
    except aiosmtplib.SMTPRecipientsRefused as error:
        first = error.recipients[0]
        raise _refusal(DeliveryFault.RECIPIENT_REFUSED, first.code, first.message) from None
    except aiosmtplib.SMTPDataError as error:
        raise _refusal(DeliveryFault.MESSAGE_REFUSED, error.code, error.message) from None
    except aiosmtplib.SMTPResponseException as error:
        raise DeliveryError(_temporary_or(DeliveryFault.MESSAGE_REFUSED, error.code)) from None
    except aiosmtplib.SMTPTimeoutError:
        raise DeliveryError(DeliveryFault.TIMED_OUT) from None
    except (aiosmtplib.SMTPException, OSError):
        raise DeliveryError(DeliveryFault.BROKE_OFF) from None


def _temporary_or(fault: DeliveryFault, code: int) -> DeliveryFault:
    return fault if code >= _LASTING else DeliveryFault.TEMPORARY


def _refusal(fault: DeliveryFault, code: int, reply: str) -> DeliveryError:
    """Returns the error for a refused recipient or message. It is permanent unless it is a matter of policy."""
    if code < _LASTING:
        return DeliveryError(DeliveryFault.TEMPORARY)
    if _POLICY.match(reply):
        return DeliveryError(DeliveryFault.SENDER_REFUSED)
    return DeliveryError(fault, permanent=True)
