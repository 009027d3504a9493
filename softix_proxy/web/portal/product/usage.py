"""The page of usage, and the same rows as a file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any
from urllib.parse import urlencode

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.core.key_text import without_keys
from softix_proxy.exports.core.texts import texts
from softix_proxy.exports.metering.rounded import money
from softix_proxy.operations.metering import organisation_usage
from softix_proxy.operations.metering.organisation_usage import AskedUsage, UsageView
from softix_proxy.operations.organisations import organisation_keys
from softix_proxy.web.portal.core.form_faults import sentence, status_of
from softix_proxy.web.portal.core.page import Answer, Download, Page, PageRequest
from softix_proxy.web.portal.organisation.scope import scope_of
from softix_proxy.web.portal.product.day_chart import ChartPart, drawn, spending_chart
from softix_proxy.web.portal.product.query import number_in
from softix_proxy.web.portal.product.request_lines import request_lines

_DOWNLOADS = asyncio.Semaphore(2)
"""The files that are written at once. They share the connection by which the daemon reads, so others wait."""
_ERRORS_ONLY = "errors_only"
_MOST_CHOICES = 200
_MOST_SUMS = 25
"""The models, and the keys, of which the page has sums. The file has all rows."""


async def show_usage(request: PageRequest) -> Answer:
    """Shows sums and requests. If the period is none, it shows the usual one, and what was wrong."""
    scope = scope_of(request)
    asked = _asked(request)
    problem, status = None, 200
    try:
        view = await organisation_usage.view(scope, asked, number_in(request.query.get("before")))
    except BadInputError as error:
        problem, status = sentence(error), status_of(error)
        asked = AskedUsage()
        view = await organisation_usage.view(scope, asked)
    labels = {view.key.public_id: view.key.label for view in await organisation_keys.list_all(scope)}
    values = {
        "view": view,
        "charged": money(view.whole.charge_pico),
        "asked": asked,
        "problem": problem,
        "labels": labels,
        "lines": request_lines(view.part.rows, labels),
        "most_sums": _MOST_SUMS,
        "chart": await _chart(view),
        "query": urlencode(_query(view, asked)),
        "list_query": urlencode({**_query(view, asked), **({_ERRORS_ONLY: "yes"} if asked.errors_only else {})}),
        "is_later_part": "before" in request.query and problem is None,
        **_choices(view, labels),
    }
    return Page("usage", values, status)


async def usage_csv(request: PageRequest) -> Answer:
    period, lines = await organisation_usage.csv_lines(scope_of(request), _asked(request))
    name = f"softix-usage-{period.first}-{period.last}.csv"
    return Download(_in_turn(lines), name, "text/csv; charset=utf-8")


async def _in_turn(lines: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    async with _DOWNLOADS, aclosing(lines):
        async for chunk in lines:
            yield chunk


def _asked(request: PageRequest) -> AskedUsage:
    query = request.query
    first, last, key, model, project = (
        without_keys(query.get(name, "")) for name in ("from", "to", "key", "model", "project")
    )
    return AskedUsage(first, last, key, model, project, errors_only=query.get(_ERRORS_ONLY) == "yes")


def _query(view: UsageView, asked: AskedUsage) -> dict[str, str]:
    """Returns the filter as a query that means the same tomorrow."""
    found = {
        "from": str(view.period.first),
        "to": str(view.period.last),
        "key": asked.key,
        "model": asked.model,
        "project": asked.project,
    }
    return {name: value for name, value in found.items() if value}


async def _chart(view: UsageView) -> Any:
    """Returns the markup of the chart, stacked by the most expensive models."""
    order = [total.id for total in view.models if total.id in view.trends]
    parts = [ChartPart(name, view.trends[name]) for name in order]
    return await drawn(spending_chart(view.period, view.days, parts, texts()))


def _choices(view: UsageView, labels: dict[str, str]) -> dict[str, Any]:
    """Returns the choices of the filter: what was used in the period, and what is chosen already."""
    keys = {total.id: labels.get(total.id) or total.id for total in view.used_keys[:_MOST_CHOICES]}
    if view.selected_key is not None:
        keys.setdefault(view.selected_key.public_id, view.selected_key.label or view.selected_key.public_id)
    return {
        "key_choices": list(keys.items()),
        "model_choices": [(total.id, total.id) for total in view.used_models[:_MOST_CHOICES]],
        "project_choices": [(project.public_id, project.name) for project in view.projects[:_MOST_CHOICES]],
    }
