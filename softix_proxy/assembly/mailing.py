"""Wires what sends messages: the outbox, the templates, and the transport that the settings name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.core.money import parse_usd

if TYPE_CHECKING:
    from softix_proxy.assembly.instance import Instance
    from softix_proxy.domain.ports.storage import Storage
    from softix_proxy.domain.ports.vault import Vault
    from softix_proxy.jobs.outbox import SendingPolicy
    from softix_proxy.mail.sender import MailSender
    from softix_proxy.mail.smtp_transport import SmtpTransport
    from softix_proxy.mail.templates import NoticeTemplates
    from softix_proxy.mail.transport import MailTransport
    from softix_proxy.settings import Settings

_STEPS = 6
"""A claim lasts for this many steps with the server. An attempt has at most four."""
_STOP_S = 5
"""How long a message that is being sent may take to end when softix stops."""


def is_wanted(settings: Settings) -> bool:
    """Returns whether a daemon sends messages: it has the portal, or the operator set a mail server."""
    return settings.portal.enabled or settings.mail.transport == "smtp"


@asynccontextmanager
async def sending(instance: Instance, vault: Vault) -> AsyncIterator[None]:
    """Sends messages, and looks for what people are to be told, until the block ends."""
    from softix_proxy.jobs import notice_conditions
    from softix_proxy.jobs.outbox import OutboxJob

    settings = instance.settings
    job = OutboxJob(instance.storage, vault, mail_sender(instance, vault), sending_policy(settings))
    sends = asyncio.create_task(job.run())
    watches = asyncio.create_task(notice_conditions.watch(instance.storage, default_threshold_pico(settings)))
    try:
        yield
    finally:
        watches.cancel()
        job.stop()
        await asyncio.wait([sends], timeout=_STOP_S)
        sends.cancel()
        await asyncio.wait([sends, watches])


def sending_policy(settings: Settings) -> SendingPolicy:
    from softix_proxy.jobs.outbox import SendingPolicy

    return SendingPolicy(
        lease_us=int(settings.mail.timeout_s * _STEPS + 60) * SECOND_US,
        give_up_after_us=int(settings.mail.give_up_after_h * 3600) * SECOND_US,
        keep_days=settings.mail.keep_days,
    )


def default_threshold_pico(settings: Settings) -> int:
    return parse_usd(settings.mail.low_balance_usd)


def mail_sender(instance: Instance, vault: Vault) -> MailSender:
    from softix_proxy.mail.message import MessageSender
    from softix_proxy.mail.sender import MailSender

    section = instance.settings.mail
    sender = MessageSender(section.from_address or _NOBODY, section.from_name, section.reply_to)
    transport = _transport(instance.settings, instance.storage, vault)
    return MailSender(transport, mail_templates(instance.settings), sender, instance.clock)


_NOBODY = "softix@localhost"
"""The sender of files, where the operator set none."""


def mail_templates(settings: Settings, origin: str | None = None) -> NoticeTemplates:
    from softix_proxy.exports.core.texts import texts
    from softix_proxy.mail.templates import NoticeTemplates

    return NoticeTemplates(texts(), origin or settings.portal.origin, settings.mail.templates)


def _transport(settings: Settings, storage: Storage, vault: Vault) -> MailTransport:
    section = settings.mail
    if section.transport == "smtp":
        return smtp_transport(settings, storage, vault)
    if section.transport == "off":
        from softix_proxy.mail.transport import NoTransport

        return NoTransport()
    from softix_proxy.mail.file_transport import FileTransport

    return FileTransport(section.eml_folder(settings.paths.data_dir))


def smtp_transport(settings: Settings, storage: Storage, vault: Vault) -> SmtpTransport:
    from softix_proxy.mail.smtp_transport import SmtpTransport
    from softix_proxy.operations.notices import mail_password

    return SmtpTransport(settings.mail, lambda: mail_password.password(storage.reading(), vault, settings.mail))


class LateMailInspection:
    """Checks the way of messages. It imports what that needs only when it is asked."""

    def __init__(self, settings: Settings, storage: Storage, vault: Callable[[], Awaitable[Vault]]) -> None:
        self._settings = settings
        self._storage = storage
        self._vault = vault

    async def server(self) -> None:
        await smtp_transport(self._settings, self._storage, await self._vault()).check()

    def broken_templates(self) -> Sequence[str]:
        from softix_proxy.mail.samples import EXAMPLE_URL, broken_kinds

        return broken_kinds(mail_templates(self._settings, EXAMPLE_URL))
