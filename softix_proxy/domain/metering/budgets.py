"""The budgets of projects and members: how much their keys may spend in a day, a week or a month.

A budget is to several keys what a cap is to one. Admission decides by `BudgetState`, which the storage engine loads and
saves under its write lock, as it does with wallets and keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar, Literal, NamedTuple, Protocol

from softix_proxy.domain.core.calendar import Calendar, PeriodRule, PeriodSpan, Today
from softix_proxy.domain.core.clock import SLACK_US, CapPeriod
from softix_proxy.domain.core.errors import Code

BudgetPeriod = Literal["day", "week", "month"]
BUDGET_PERIODS: tuple[BudgetPeriod, ...] = ("day", "week", "month")
ALERT_PERCENTS = (50, 80, 100)
"""The parts of a budget at which its managers get a message, once each in a period."""
_ALMOST_USED_UP = 80


@dataclass(slots=True)
class BudgetState:
    """The state of a budget for admission. All amounts are pico-USD."""

    id: int
    amount_pico: int
    period: CapPeriod
    held_pico: int = 0
    """The sum of the holds of its keys' open requests."""
    spent_at_us: int = 0
    """The latest posting that counts. It says which period `spent_pico` is of."""
    spent_pico: int = 0
    zone: str | None = None
    reset_day: int | None = None
    """The rule of its periods, if it has one of its own: see `PeriodRule`."""
    alerts: str | None = None
    """The percents at which people are told, as `parse_alerts` reads them. None means the usual ones."""
    raised_pico: int | None = None
    """The amount that holds until `raised_until_us`, if it is above `amount_pico`."""
    raised_until_us: int | None = None
    code: ClassVar[Code] = Code.BUDGET_REACHED
    """The code of a refusal by such a limit."""
    own_span: PeriodSpan | None = field(default=None, init=False)
    """The period that contains the present, if its rule is its own. It is known after `begin`."""

    @property
    def rule(self) -> PeriodRule:
        return PeriodRule(self.period, self.zone, self.reset_day)

    def words(self) -> str:
        """Returns the words that name the limit to whoever is refused by it. A budget is named by its code."""
        return ""

    def begin(self, now_us: int, by: Calendar) -> None:
        """Brings the state to the present: its period, and the amount that is in force now."""
        self.come_back(now_us)
        self.amount_pico = in_force(self.amount_pico, self.raised_pico, self.raised_until_us, now_us)
        if self.zone is not None or self.reset_day is not None:
            self.own_span = self.rule.span(now_us, by)

    def come_back(self, now_us: int) -> None:
        """Corrects an instant that this budget cannot have seen yet. A clock that was ahead has left it."""
        if self.spent_at_us > now_us + SLACK_US:
            self.spent_at_us = now_us

    def start_us(self, today: Today) -> int:
        """Returns the instant at which the period that contains the present began."""
        return today.start_us(self.period) if self.own_span is None else self.own_span.start_us

    def end_us(self, today: Today) -> int | None:
        """Returns the instant at which the next period begins. None if there is none."""
        if self.own_span is not None:
            return self.own_span.end_us
        return None if self.period == "total" else today.end_us_of(self.period)

    def spent_in(self, today: Today) -> int:
        """Returns what was charged in the period that contains the present."""
        return 0 if self.start_us(today) > self.spent_at_us else self.spent_pico

    def room_pico(self, today: Today) -> int:
        """Returns what another request may still hold. It is negative if the budget was lowered meanwhile."""
        return self.amount_pico - self.spent_in(today) - self.held_pico

    def spend(self, charge_pico: int, posted_at_us: int, by: Calendar) -> tuple[int, ...]:
        """Counts the charge of a posting. Returns the alert percents that it reaches.

        It counts in the period of its posting. So the sum is that of the period's usage rows, whatever the clock says
        by the time of the settlement.
        """
        before_pico = 0 if self.start_at(posted_at_us, by) > self.spent_at_us else self.spent_pico
        self.spent_pico = before_pico + charge_pico
        self.spent_at_us = max(self.spent_at_us, posted_at_us)
        percents = parse_alerts(self.alerts)
        before = reached(before_pico, self.amount_pico, percents)
        return reached(self.spent_pico, self.amount_pico, percents)[len(before) :]

    def start_at(self, instant_us: int, by: Calendar) -> int:
        """Returns the instant at which the period that contains `instant_us` began."""
        if self.zone is None and self.reset_day is None:
            return by.at(instant_us).start_us(self.period)
        return self.rule.span(instant_us, by).start_us

    def correct(self, difference_pico: int, posted_at_us: int, by: Calendar) -> tuple[int, ...]:
        """Applies a change of a charge that was posted at `posted_at_us`, if that instant is in the same period."""
        if posted_at_us < self.start_at(self.spent_at_us, by):
            return ()
        return self.spend(difference_pico, posted_at_us, by)

    def is_used_up(self, needed_pico: int, today: Today) -> bool:
        """Returns whether the budget is used up for a request that was refused, though some of it is left.

        The last part of a budget is often too small for any request. Before that, a refusal only means that one
        request is too large, or that others hold the rest.
        """
        spent_pico = self.spent_in(today)
        return spent_pico * 100 >= self.amount_pico * _ALMOST_USED_UP and self.amount_pico - spent_pico < needed_pico


def in_force(amount_pico: int, raised_pico: int | None, raised_until_us: int | None, now_us: int) -> int:
    """Returns the amount of a limit that holds now: the raised one until its end, unless the other is higher."""
    if raised_pico is None or raised_until_us is None or now_us >= raised_until_us:
        return amount_pico
    return max(amount_pico, raised_pico)


def reached(spent_pico: int, amount_pico: int, percents: Sequence[int] = ALERT_PERCENTS) -> tuple[int, ...]:
    """Returns the alert percents of the amount that are spent, in rising order."""
    return tuple(percent for percent in percents if spent_pico * 100 >= amount_pico * percent and spent_pico > 0)


@lru_cache(maxsize=256)
def parse_alerts(text: str | None) -> tuple[int, ...]:
    """Reads stored percents, such as `50,80,100`. None means the usual ones, and an empty text means none."""
    if text is None:
        return ALERT_PERCENTS
    return tuple(int(part) for part in text.split(",") if part)


class BudgetAlert(NamedTuple):
    """A part of a budget that was reached in a period, and of which nobody was told yet."""

    budget_id: int
    period_start_us: int
    percent: int
    reached_at_us: int


@dataclass(frozen=True, slots=True)
class Budget:
    """A budget as it is stored. It is of a project or of a member."""

    id: int
    public_id: str
    """The id by which pages and commands name it: `bud_` and letters."""
    user_id: int
    """The number of the organisation."""
    account_id: int | None
    project_id: int | None
    period: BudgetPeriod
    amount_pico: int
    created_at_us: int
    held_pico: int = 0
    spent_at_us: int = 0
    spent_pico: int = 0
    zone: str | None = None
    reset_day: int | None = None
    alerts: str | None = None
    raised_pico: int | None = None
    raised_until_us: int | None = None

    @property
    def rule(self) -> PeriodRule:
        return PeriodRule(self.period, self.zone, self.reset_day)

    def amount_at(self, now_us: int) -> int:
        """Returns the amount that is in force."""
        return in_force(self.amount_pico, self.raised_pico, self.raised_until_us, now_us)

    def state(self) -> BudgetState:
        return BudgetState(
            self.id,
            self.amount_pico,
            self.period,
            self.held_pico,
            self.spent_at_us,
            self.spent_pico,
            self.zone,
            self.reset_day,
            self.alerts,
            self.raised_pico,
            self.raised_until_us,
        )

    def state_at(self, now_us: int, by: Calendar) -> BudgetState:
        """Returns the state as of now, with the amount that is in force."""
        state = self.state()
        state.begin(now_us, by)
        return state


class BudgetStore(Protocol):
    """Stores budgets. A change is in force for the very next request, in any process."""

    async def add(self, budget: Budget) -> Budget:
        """Adds a budget with the state of its keys: their holds, and `spent_pico` as it was counted.

        `budget.id` is ignored and assigned. Raises ConflictError if there is one of the same subject and period.
        """
        ...

    async def get(self, budget_id: int) -> Budget: ...

    async def find(self, user_id: int, public_id: str) -> Budget | None: ...

    async def list(self, user_id: int | None = None) -> Sequence[Budget]: ...

    async def today(self) -> Today:
        """Returns the present day, week and month of the zone by which periods begin."""
        ...

    async def counted(self, budget: Budget, from_number: int, before_number: int) -> int:
        """Returns the sum of the charges posted with these numbers that belong to the budget's present period."""
        ...

    async def set_amount(self, budget_id: int, amount_pico: int) -> None: ...

    async def set_terms(self, budget: Budget) -> None:
        """Writes the amount, the rule of its periods, its alerts and what it is raised to."""
        ...

    async def set_spent(self, budget_id: int, spent_pico: int) -> None:
        """Replaces what was spent in the present period."""
        ...

    async def remove(self, budget_id: int) -> None: ...

    async def note(self, alert: BudgetAlert) -> None:
        """Notes that a part was reached. A second note of the same period and part changes nothing."""
        ...

    async def untold(self, limit: int) -> Sequence[BudgetAlert]:
        """Returns the alerts of which nobody was told, the oldest first."""
        ...

    async def told(self, alert: BudgetAlert, now_us: int) -> None: ...
