"""The terms that budgets and caps have in common: periods of their own, alerts, and a raise until an instant."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from softix_proxy.domain.core.calendar import PeriodRule, checked_rule, format_reset_day, parse_reset_day
from softix_proxy.domain.core.clock import CapPeriod, format_instant, parse_instant, parse_zone
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.core.money import format_usd
from softix_proxy.domain.metering.budgets import parse_alerts

NONE = "none"
"""The word that removes a term, as it removes a limit."""
_MOST_ALERTS = 10


@dataclass(frozen=True, slots=True)
class AskedTerms:
    """The terms as they were written. None leaves a term as it is, and the word `none` removes it."""

    zone: str | None = None
    reset_day: str | None = None
    alerts: str | None = None
    until: str | None = None
    """The instant until which the amount is raised. A day without a time is its first instant in the limit's zone."""


UNCHANGED = AskedTerms()


class HasTerms(Protocol):
    """A stored limit with these terms."""

    @property
    def period(self) -> CapPeriod: ...
    @property
    def amount_pico(self) -> int: ...
    @property
    def zone(self) -> str | None: ...
    @property
    def reset_day(self) -> int | None: ...
    @property
    def alerts(self) -> str | None: ...
    @property
    def raised_pico(self) -> int | None: ...
    @property
    def raised_until_us(self) -> int | None: ...
    @property
    def rule(self) -> PeriodRule: ...


L = TypeVar("L", bound=HasTerms)


def changed_terms(new: L, existing: L | None, amount_pico: int | None, asked: AskedTerms, now_us: int, zone: str) -> L:
    """Returns the limit as it is to be stored: the existing one with what is asked for, or else the new one.

    With an end, the amount is what the limit is raised to until then, and replaces an earlier raise. Without one, it is
    the amount itself, and a raise stays in force. `zone` is the one that is billed in. Raises BadInputError.
    """
    limit = _with_periods(new if existing is None else existing, asked)
    if asked.alerts is not None:
        limit = replace(limit, alerts=_checked_alerts(asked.alerts))  # type: ignore[type-var] # a limit is a dataclass
    if asked.until is None or asked.until == NONE:
        changes: dict[str, Any] = {} if amount_pico is None else {"amount_pico": amount_pico}
        if asked.until is not None:
            changes |= {"raised_pico": None, "raised_until_us": None}
        return replace(limit, **changes)  # type: ignore[type-var] # a limit is a dataclass
    if existing is None:
        raise BadInputError("there is no such limit that could be raised", "set it first, without --until")
    if amount_pico is None or amount_pico <= existing.amount_pico:
        limit_text = format_usd(existing.amount_pico)
        raise BadInputError(f"a raise is above the limit, which is {limit_text}", "give a higher amount with --until")
    until_us = parse_instant(asked.until, parse_zone(limit.zone or zone))
    if until_us <= now_us:
        raise BadInputError("the end of a raise is in the future", "write for example --until 2030-12-24")
    return replace(limit, raised_pico=amount_pico, raised_until_us=until_us)  # type: ignore[type-var] # a limit is a dataclass


def _with_periods(limit: L, asked: AskedTerms) -> L:
    zone, reset_day = limit.zone, limit.reset_day
    if asked.zone is not None:
        zone = None if asked.zone == NONE else asked.zone
    if asked.reset_day is not None:
        reset_day = None if asked.reset_day == NONE else _day_of_period(limit.period, asked.reset_day)
    checked_rule(PeriodRule(limit.period, zone, reset_day))
    return replace(limit, zone=zone, reset_day=reset_day)  # type: ignore[type-var] # a limit is a dataclass


def _day_of_period(period: CapPeriod, text: str) -> int:
    """Returns the reset day. Raises BadInputError for a day of the week in a month, and the reverse."""
    reset_day = parse_reset_day(text)
    if text.strip().isdigit() == (period == "week"):
        raise BadInputError(
            f"not a day on which a {period} can begin: {text!r}",
            "a week begins on a day such as monday, and a month on a number from 1 to 31",
        )
    return reset_day


def _checked_alerts(text: str) -> str:
    """Returns the percents in rising order. The word `none` gives none. Raises BadInputError."""
    if text == NONE:
        return ""
    parts = [part.strip().removesuffix("%").strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) <= 3 and 1 <= int(part) <= 100 for part in parts):
        raise BadInputError(f"not percents: {text!r}", "write whole numbers from 1 to 100, such as 50,80,100")
    percents = sorted({int(part) for part in parts})
    if len(percents) > _MOST_ALERTS:
        raise BadInputError(f"a limit has at most {_MOST_ALERTS} alerts", "leave out some of the percents")
    return ",".join(map(str, percents))


def terms_fields(limit: HasTerms, *, is_raised: bool) -> dict[str, Any]:
    """Returns the terms as commands show them. A raise that has ended is not shown."""
    raised = limit.raised_pico if is_raised else None
    return {
        "zone": limit.zone,
        "reset_day": format_reset_day(limit.rule),
        "alerts": list(parse_alerts(limit.alerts)),
        "raised_to": None if raised is None else format_usd(raised),
        "raised_until": format_instant(limit.raised_until_us) if is_raised else None,
    }
