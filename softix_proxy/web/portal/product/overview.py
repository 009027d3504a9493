"""The first page: the balance, the spending by day, the last requests, and what somebody should look at."""

from __future__ import annotations

from softix_proxy.exports.core.texts import texts
from softix_proxy.exports.metering.rounded import money
from softix_proxy.operations.metering.overview import overview
from softix_proxy.web.portal.core.page import Answer, Page, PageRequest
from softix_proxy.web.portal.organisation.scope import scope_of
from softix_proxy.web.portal.product.day_chart import drawn, spending_chart
from softix_proxy.web.portal.product.request_lines import request_lines


async def show_overview(request: PageRequest) -> Answer:
    viewer = request.viewer
    if viewer.organisation is None:
        return Page("overview_empty", {})
    scope = scope_of(request)
    found = await overview(scope, viewer.account)
    chart = spending_chart(found.period, found.days, (), texts())
    values = {
        "overview": found,
        "chart": await drawn(chart),
        "lines": request_lines(found.latest, found.labels),
        "may_make": scope.may_make_keys,
        "today": money(found.today_pico),
        "spent": money(sum(day.charge_pico for day in found.days)),
        "requests": sum(day.requests for day in found.days),
    }
    return Page("overview", values)
