"""The caps of keys and users: how much they may spend in a period, in all or on a part of it.

A part is the models of a pattern, or the requests with a tag. A cap for each end user limits each person whom requests
name, and has a state for each of them. A cap is decided as a budget is (`budgets.py`), and its state has the same
figures. A request counts in a cap of models if any model that may serve it is one of them, and its charge if the model
that did serve it is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple, Protocol

from softix_proxy.domain.access.rights import model_patterns
from softix_proxy.domain.core.calendar import Calendar, PeriodRule, PeriodSpan
from softix_proxy.domain.core.clock import CapPeriod
from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.core.money import format_usd
from softix_proxy.domain.metering.budgets import BudgetState, in_force
from softix_proxy.domain.metering.usage_tags import has_tag

MOST_CAPS = 50
"""The most caps of one key, and of one user beside those of the keys. Each is read with every request."""


class ModelName(NamedTuple):
    """The names of a model and of its provider."""

    provider: str
    model: str


@dataclass(slots=True)
class CapState(BudgetState):
    """The state of a cap for admission. All amounts are pico-USD."""

    models: str = ""
    """The pattern of the models that count. An empty one means all of them."""
    of_user: bool = False
    """Whether it is of all keys of a user together."""
    tag: str = ""
    """The tag of the requests that count. Empty means all of them."""
    end_users: bool = False
    """Whether it limits each end user apart."""
    end_user: str = ""
    """The keyed digest of the end user whom this state is of."""

    code: ClassVar[Code] = Code.CAP_REACHED

    def counts(self, names: Sequence[ModelName]) -> bool:
        """Returns whether any of these models counts."""
        return not self.models or stands_for(self.models, names)

    def is_of(self, tags: str, end_user: str) -> bool:
        """Returns whether requests with these tags and of this end user count, whatever their model."""
        return (not self.tag or has_tag(tags, self.tag)) and (not self.end_users or end_user != "")

    def for_end_user(self, end_user: str, held_pico: int = 0, spent_at_us: int = 0, spent_pico: int = 0) -> CapState:
        """Returns the state of this cap for one end user."""
        return replace(self, end_user=end_user, held_pico=held_pico, spent_at_us=spent_at_us, spent_pico=spent_pico)

    def words(self) -> str:
        """Returns the words that name the cap to whoever is refused by it."""
        whose = "the user of this API key" if self.of_user else "this API key"
        if self.end_users:
            whose = f"each end user of {whose}"
        period = "" if self.period == "total" else f" a {self.period}"
        models = f" for {self.models}" if self.models else ""
        tag = f" for the tag {self.tag}" if self.tag else ""
        return f"cap of ${format_usd(self.amount_pico)}{period}{models}{tag} of {whose}"


def stands_for(models: str, names: Sequence[ModelName]) -> bool:
    """Returns whether the pattern stands for any of these models."""
    patterns = model_patterns((models,))
    return any(patterns.match(each.provider, each.model) for each in names)


class EndUserSpend(NamedTuple):
    """What one end user has spent and holds within a cap for each end user."""

    end_user: str
    held_pico: int
    spent_at_us: int
    spent_pico: int


class CapAlert(NamedTuple):
    """A part of a cap that was reached in a period, and of which nobody was told yet."""

    cap_id: int
    period_start_us: int
    percent: int
    reached_at_us: int


@dataclass(frozen=True, slots=True)
class Cap:
    """A cap as it is stored."""

    id: int
    user_id: int
    key_id: int | None
    """None if it is of all keys of the user together."""
    models: str
    period: CapPeriod
    amount_pico: int
    created_at_us: int
    zone: str | None = None
    reset_day: int | None = None
    alerts: str | None = ""
    """The percents at which people are told. An empty text means none."""
    raised_pico: int | None = None
    raised_until_us: int | None = None
    held_pico: int = 0
    spent_at_us: int = 0
    spent_pico: int = 0
    tag: str = ""
    end_users: bool = False
    """Whether it limits each end user apart. Then what is held and spent is that of each of them."""

    @property
    def rule(self) -> PeriodRule:
        return PeriodRule(self.period, self.zone, self.reset_day)

    def amount_at(self, now_us: int) -> int:
        """Returns the amount that is in force."""
        return in_force(self.amount_pico, self.raised_pico, self.raised_until_us, now_us)

    def state_at(self, now_us: int, by: Calendar) -> CapState:
        """Returns the state as of now, with the amount that is in force."""
        state = CapState(
            id=self.id,
            amount_pico=self.amount_pico,
            period=self.period,
            held_pico=self.held_pico,
            spent_at_us=self.spent_at_us,
            spent_pico=self.spent_pico,
            zone=self.zone,
            reset_day=self.reset_day,
            alerts=self.alerts,
            raised_pico=self.raised_pico,
            raised_until_us=self.raised_until_us,
            models=self.models,
            of_user=self.key_id is None,
            tag=self.tag,
            end_users=self.end_users,
        )
        state.begin(now_us, by)
        return state


class CapStore(Protocol):
    """Stores caps. A change is in force for the very next request, in any process."""

    async def add(self, cap: Cap) -> Cap:
        """Adds a cap. `cap.id` is ignored and assigned. What open requests hold counts in it from now on."""
        ...

    async def get(self, cap_id: int) -> Cap: ...

    async def list(self, user_id: int, key_id: int | None) -> Sequence[Cap]:
        """Returns the caps of the key, or those of the user that are of no single key."""
        ...

    async def of_user(self, user_id: int) -> Sequence[Cap]:
        """Returns all caps of the user and of the user's keys."""
        ...

    async def counted(self, cap: Cap, span: PeriodSpan, from_number: int, before_number: int) -> int:
        """Returns the sum of the charges posted with these numbers that belong to that period of the cap."""
        ...

    async def counted_by_end_user(
        self, cap: Cap, span: PeriodSpan, from_number: int, before_number: int
    ) -> Mapping[str, int]:
        """Returns the same sum for each end user who has any charge."""
        ...

    async def of_end_users(self, cap_id: int) -> Sequence[EndUserSpend]:
        """Returns what each end user has spent and holds, in no order."""
        ...

    async def set_spent_by_end_user(self, cap_id: int, spent_pico: Mapping[str, int]) -> None:
        """Replaces what every end user has spent in the present period. Who is not named has spent nothing."""
        ...

    async def set_terms(self, cap: Cap) -> None:
        """Writes the amount, the rule of its periods, its alerts and what it is raised to."""
        ...

    async def set_spent(self, cap_id: int, spent_pico: int) -> None:
        """Replaces what was spent in the present period."""
        ...

    async def remove(self, cap_id: int) -> None: ...

    async def note(self, alert: CapAlert) -> None:
        """Notes that a part was reached. A second note of the same period and part changes nothing."""
        ...

    async def untold(self, limit: int) -> Sequence[CapAlert]:
        """Returns the alerts of which nobody was told, the oldest first."""
        ...

    async def told(self, alert: CapAlert, now_us: int) -> None: ...
