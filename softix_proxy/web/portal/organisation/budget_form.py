"""The form of a budget, which a project's page and a member's page both have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.metering.budgets import BUDGET_PERIODS, BudgetPeriod
from softix_proxy.web.portal.core.typed import typed_usd

_USUAL: BudgetPeriod = "month"


class AskedBudget(NamedTuple):
    amount_pico: int
    period: BudgetPeriod


def read(form: Mapping[str, str]) -> AskedBudget:
    """Raises BadInputError."""
    asked = form.get("period", "")
    for period in BUDGET_PERIODS:
        if period == asked:
            return AskedBudget(typed_usd(form.get("amount", "")), period)
    raise BadInputError("there is no such period", "choose a day, a week or a month")


def shown(form: Mapping[str, str]) -> Mapping[str, str]:
    """Returns what the fields show: what was sent before, or what is usual."""
    return {"amount": form.get("amount", ""), "period": form.get("period", _USUAL)}
