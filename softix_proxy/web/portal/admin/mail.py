"""The page of the outbox: which messages wait, were sent or were given up."""

from __future__ import annotations

from softix_proxy.domain.core.errors import ConflictError, OperatorError
from softix_proxy.domain.notices.outbox import NoticeState
from softix_proxy.operations.notices import outbox
from softix_proxy.web.portal.admin.admin_page import admin_page
from softix_proxy.web.portal.admin.faults import ShownFault, shown_fault
from softix_proxy.web.portal.core.page import Answer, Page, PageRequest, SeeOther

_SHOWN = 200


async def mail_page(request: PageRequest) -> Answer:
    """Lists the newest messages, of one state or of all. Neither their contents nor their links are shown."""
    return await _page(request)


async def retry(request: PageRequest) -> Answer:
    """Lets a message that was given up wait again."""
    public_id = request.parts["id"]
    try:
        await outbox.retry(await request.door.enter("mail.retry"), public_id)
    except ConflictError as error:
        return await _page(request, _fault(error))
    return SeeOther("/admin/mail", "flash.mail_waits")


def _fault(error: OperatorError) -> ShownFault:
    return shown_fault(error, "mail")


async def _page(request: PageRequest, fault: ShownFault | None = None) -> Page:
    text = request.query.get("state", "")
    state = NoticeState(text) if text in {one.value for one in NoticeState} else None
    found = await outbox.list_all(request.storage, state=state, limit=_SHOWN)
    counts = await outbox.counts(request.storage)
    return admin_page(
        request,
        "admin_mail",
        fault=fault,
        messages=found,
        counts=counts,
        states=list(NoticeState),
        state=state,
    )
