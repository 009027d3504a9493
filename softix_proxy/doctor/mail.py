"""Checks whether messages can leave, whether one waits too long, and whether any was given up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from softix_proxy.doctor.check_context import CheckContext
from softix_proxy.doctor.findings import Observation, error, ok, warning
from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.core.loopback import is_loopback
from softix_proxy.domain.notices.outbox import NoticeState
from softix_proxy.domain.ports.mail import DeliveryError
from softix_proxy.operations.notices import delivery_faults

_LATE_US = 3600 * SECOND_US


async def find(context: CheckContext) -> AsyncIterator[Observation]:
    async for found in _transport(context):
        yield found
    if context.settings.mail.templates is not None:
        for broken in context.mail.broken_templates():
            yield error(
                f"the operator's template of {broken} fails, so softix uses its own",
                f"mend it, and look: softix mail preview {broken}",
            )
    async for found in _outbox(context):
        yield found


async def _transport(context: CheckContext) -> AsyncIterator[Observation]:
    section, portal = context.settings.mail, context.settings.portal
    if section.transport == "off":
        if portal.enabled:
            yield warning("mail is off, so nobody gets a link to register", "set mail.transport to file or smtp")
        else:
            yield ok("mail is off")
    elif section.transport == "file":
        folder = section.eml_folder(context.settings.paths.data_dir)
        host = urlsplit(portal.public_url or "").hostname
        if portal.enabled and host is not None and not is_loopback(host):
            yield warning(
                f"messages go to files in {folder}, so nobody gets them", "set mail.transport to smtp: docs/mail.md"
            )
        else:
            yield ok(f"messages go to files in {folder}")
    elif context.fetch is None:
        yield ok(f"messages go to {section.server}; it was not asked (--offline)")
    else:
        yield await _server(context)


async def _server(context: CheckContext) -> Observation:
    try:
        await context.mail.server()
    except DeliveryError as failure:
        told = delivery_faults.explained(failure.fault)
        return error(f"{told.message}: {context.settings.mail.server}", told.remedy)
    return ok(f"{context.settings.mail.server} takes messages")


async def _outbox(context: CheckContext) -> AsyncIterator[Observation]:
    outbox = context.storage.reading().outbox
    counts = await outbox.counts()
    given_up = counts.get(NoticeState.GIVEN_UP, 0)
    if given_up:
        yield warning(
            f"{given_up} message{'s were' if given_up > 1 else ' was'} given up",
            "see why: softix mail list --state given-up; then: softix mail retry ID",
        )
    oldest_us = await outbox.oldest_waiting_us()
    waiting = counts.get(NoticeState.WAITING, 0)
    if oldest_us is not None and context.clock.now_us() - oldest_us >= _LATE_US:
        yield warning(
            f"{waiting} message{'s wait' if waiting > 1 else ' waits'}, the oldest for more than an hour",
            "run softix serve with portal.enabled, or softix portal; see: softix mail list --state waiting",
        )
    elif not given_up:
        yield ok(f"no message is late ({waiting} waiting)")
