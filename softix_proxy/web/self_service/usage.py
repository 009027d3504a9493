"""Returns what one request of the same user used and cost."""

from __future__ import annotations

import msgspec
from aiohttp import web

from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.web.router.request_context import RequestContext
from softix_proxy.web.router.responses import respond


async def show(context: RequestContext) -> web.Response:
    from softix_proxy.operations.metering import (
        usage,  # the import is late to save time at start; most daemons never need it
    )

    row = await usage.for_request(context.app.storage, context.name, context.identified.user.id)
    if row is None:
        raise RefusedError(Code.NOT_FOUND, "There is no usage of this request yet, or it is not yours.")
    return respond(msgspec.json.encode(row))
