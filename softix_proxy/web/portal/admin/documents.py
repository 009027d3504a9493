"""The pages of closed periods and of documents: lists, and a document as a file."""

from __future__ import annotations

import asyncio
from functools import partial

from softix_proxy.domain.core.errors import NotFoundError
from softix_proxy.exports.billing.bill_formats import FORMATS, MEDIA_TYPES
from softix_proxy.exports.billing.bill_pdf import fonts_of
from softix_proxy.operations.access import users
from softix_proxy.operations.billing import bill
from softix_proxy.operations.ledger import periods
from softix_proxy.web.portal.admin.admin_page import admin_page
from softix_proxy.web.portal.admin.listing import listing_of, searched
from softix_proxy.web.portal.core.page import Answer, Download, PageRequest, whole

_PERIODS = 60


async def documents_page(request: PageRequest) -> Answer:
    """Lists the closed periods, and the documents of one period or of all, the newest first."""
    period, user = searched(request, "period"), request.query.get("user", "")
    owner = await users.show_id(request.storage, user) if user else None
    found = partial(bill.page, request.storage, user=owner.public_id if owner else None, period=period or None)
    page = await listing_of(request, found, lambda one: one.document.number, {"period": period, "user": user})
    closed = list(await periods.list_all(request.storage))[::-1]
    return admin_page(request, "admin_documents", listing=page, periods=closed[:_PERIODS], period=period, owner=owner)


async def download(request: PageRequest) -> Answer:
    """Sends a document in one of its formats. It is made on another thread, because a PDF takes some time."""
    form = request.parts["form"]
    if form not in FORMATS:
        raise NotFoundError("there is no such format", "")
    found = await bill.show(request.storage, request.parts["number"])
    made = await asyncio.to_thread(FORMATS[form], found.document, fonts_of(request.settings.billing))
    ending = "xml" if form == "ubl" else form
    return Download(whole(made), f"{found.document.number}.{ending}", MEDIA_TYPES[form])
