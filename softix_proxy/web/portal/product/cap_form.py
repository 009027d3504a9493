"""The form of a cap, which is on the page of its key."""

from __future__ import annotations

from collections.abc import Mapping

from softix_proxy.domain.core.clock import PERIODS, CapPeriod
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.operations.access.caps import AskedLimits
from softix_proxy.web.portal.core.typed import typed_usd
from softix_proxy.web.portal.organisation.budget_form import read_terms

FIELDS = ("amount", "period", "model", "zone", "reset_day", "alerts", "until")


def read(form: Mapping[str, str]) -> AskedLimits:
    """Reads the fields. The word `none` as the amount removes the cap. Raises BadInputError."""
    period = _period(form.get("period", ""))
    text = form.get("amount", "").strip()
    amount_pico = None if text == "none" else typed_usd(text)
    return AskedLimits(form.get("model", "").strip(), {period: amount_pico}, read_terms(form))


def shown(form: Mapping[str, str]) -> Mapping[str, str]:
    """Returns what the fields show: what was sent before, or nothing."""
    return {name: form.get(name, "") for name in FIELDS} | {"period": form.get("period", "month")}


def _period(text: str) -> CapPeriod:
    for period in PERIODS:
        if period == text:
            return period
    raise BadInputError("this is not a period of a cap", "choose one of the list")
