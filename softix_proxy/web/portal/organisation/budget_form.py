"""The form of a budget, which a project's page and a member's page both have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.metering.budgets import BUDGET_PERIODS, BudgetPeriod
from softix_proxy.operations.access.limit_terms import UNCHANGED, AskedTerms
from softix_proxy.web.portal.core.typed import typed_usd

_USUAL: BudgetPeriod = "month"


_TERMS = ("zone", "reset_day", "alerts", "until")


class AskedBudget(NamedTuple):
    amount_pico: int
    period: BudgetPeriod
    terms: AskedTerms = UNCHANGED


def read(form: Mapping[str, str]) -> AskedBudget:
    """Raises BadInputError."""
    asked = form.get("period", "")
    for period in BUDGET_PERIODS:
        if period == asked:
            return AskedBudget(typed_usd(form.get("amount", "")), period, read_terms(form))
    raise BadInputError("there is no such period", "choose a day, a week or a month")


def read_terms(form: Mapping[str, str]) -> AskedTerms:
    """Returns the terms of a limit. An empty field leaves a term as it is, and the word `none` removes it."""
    return AskedTerms(**{name: text for name in _TERMS if (text := form.get(name, "").strip())})


def shown(form: Mapping[str, str]) -> Mapping[str, str]:
    """Returns what the fields show: what was sent before, or what is usual."""
    terms = {name: form.get(name, "") for name in _TERMS}
    return {"amount": form.get("amount", ""), "period": form.get("period", _USUAL), **terms}
