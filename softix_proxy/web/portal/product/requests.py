"""The page of one request: what it used, and its price worked out line by line. It has nothing of its content."""

from __future__ import annotations

from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.domain.metering.usage import UsageSource
from softix_proxy.domain.pricing.meters import METERS
from softix_proxy.exports.metering.columns import format_factor
from softix_proxy.operations.metering import organisation_usage
from softix_proxy.web.portal.core.page import Answer, Page, PageRequest
from softix_proxy.web.portal.organisation.scope import scope_of


async def show_request(request: PageRequest) -> Answer:
    explained = await organisation_usage.explain(scope_of(request), request.parts["request_id"])
    row = explained.row
    values = {
        "explained": explained,
        "row": row,
        "request_id": format_request_id(row.request_id),
        "markup": format_factor(row.markup),
        "per": {line.meter: METERS[line.meter].per for line in explained.lines},
        "is_interrupted": row.source is UsageSource.INTERRUPTED,
        "corrections": [(format_request_id(one.request_id), one) for one in explained.corrections],
    }
    return Page("request", values)
