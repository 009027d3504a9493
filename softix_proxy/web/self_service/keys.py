"""Returns to a key its own limits, caps and spend, and the balance that it uses."""

from __future__ import annotations

import msgspec
from aiohttp import web

from softix_proxy.domain.core.money import CURRENCY, format_usd
from softix_proxy.web.router.request_context import RequestContext
from softix_proxy.web.router.responses import respond


async def show(context: RequestContext) -> web.Response:
    from softix_proxy.operations.access import (
        keys,  # the import is late, as for usage: it loads much that most requests do not need
    )

    standing = await keys.standing(context.app.storage, context.identified.key.public_id)
    wallet = standing.wallet
    fields = {
        **keys.as_fields(standing.key, standing.user.public_id, standing.spend),
        "balance": format_usd(wallet.posted_pico),
        "available": format_usd(wallet.available_pico),
        "credit_limit": format_usd(wallet.credit_pico),
        "currency": CURRENCY,
    }
    return respond(msgspec.json.encode(fields))
