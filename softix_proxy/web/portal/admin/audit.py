"""The pages of the audit: who did what, and what one entry changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from softix_proxy.domain.accounts.audit import AuditChange, AuditValue, changes_of
from softix_proxy.domain.core.errors import NotFoundError
from softix_proxy.operations.accounts import audit
from softix_proxy.operations.privacy import technical_data
from softix_proxy.web.portal.admin.admin_page import admin_page
from softix_proxy.web.portal.admin.listing import PER_PAGE, listing, number_before
from softix_proxy.web.portal.core.page import Answer, PageRequest

_MOST_DIGITS = 18
_NOTHING = "–"


class ShownChange(NamedTuple):
    kind: str
    id: str
    values: Sequence[tuple[str, str, str]]
    """The name of each value, with what it was and what it is."""
    hidden: Sequence[str]


async def audit_page(request: PageRequest) -> Answer:
    """Lists the entries, the newest first. The whole chain is verified where the query asks for it."""
    found = await audit.page(request.storage, before=number_before(request), limit=PER_PAGE + 1)
    verified = await audit.verify(request.storage) if request.query.get("verify") == "yes" else None
    page = listing(request, found, lambda entry: str(entry.id))
    return admin_page(request, "admin_audit", listing=page, verified=verified)


async def entry_page(request: PageRequest) -> Answer:
    """Shows one entry with what it changed."""
    text = request.parts["number"]
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise NotFoundError("there is no such entry")
    entry = await audit.show(request.storage, int(text))
    origin = await technical_data.origin_of(request.storage, entry.id)
    changes = [_shown(one) for one in changes_of(entry)]
    return admin_page(request, "admin_audit_entry", entry=entry, origin=origin, changes=changes)


def _shown(change: AuditChange) -> ShownChange:
    values = [(name, _text(before), _text(after)) for name, before, after in change.differences]
    return ShownChange(change.kind, change.id, values, change.hidden)


def _text(value: AuditValue) -> str:
    return _NOTHING if value is None else str(value)
