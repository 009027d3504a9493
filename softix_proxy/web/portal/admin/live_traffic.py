"""The page of what happens now: the requests that run, with what is held for them, and the last that ended."""

from __future__ import annotations

from softix_proxy.operations.metering import live, usage
from softix_proxy.web.portal.admin.admin_page import admin_page
from softix_proxy.web.portal.admin.usage import id_of
from softix_proxy.web.portal.core.page import Answer, PageRequest

_SHOWN = 50


async def traffic_page(request: PageRequest) -> Answer:
    """Shows the database as it is now. A link loads the page anew: what reloads by itself takes readers out of it."""
    running = await live.open_requests(request.storage, _SHOWN)
    ended = await usage.newest(request.storage, limit=_SHOWN)
    return admin_page(
        request,
        "admin_traffic",
        running=running,
        held_pico=sum(one.hold_pico for one in running),
        ended=ended,
        id_of=id_of,
        now_us=request.now_us,
    )
