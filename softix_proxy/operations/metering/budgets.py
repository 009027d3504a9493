"""The operations on budgets of projects and members."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.access.users import User
from softix_proxy.domain.accounts.accounts import Account
from softix_proxy.domain.core.clock import format_instant
from softix_proxy.domain.core.errors import BadInputError, NotFoundError
from softix_proxy.domain.core.ids import new_public_id
from softix_proxy.domain.core.money import MAX_PICO, format_usd
from softix_proxy.domain.metering.budgets import Budget, BudgetAlert, BudgetPeriod, parse_alerts, reached
from softix_proxy.domain.organisations.organisations import OPERATOR, Actor
from softix_proxy.domain.organisations.projects import Project
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.operations.access.limit_terms import UNCHANGED, AskedTerms, changed_terms, terms_fields
from softix_proxy.operations.organisations import projects
from softix_proxy.operations.organisations.organisations import authorized, find_member


@dataclass(frozen=True, slots=True)
class BudgetStanding:
    """A budget, and how much of it is left in the present period."""

    budget: Budget
    spent_pico: int
    ends_at_us: int
    """The instant at which the next period begins."""
    project: Project | None
    account: Account | None
    in_force_pico: int
    """The amount that holds now: that of the budget, or what it is raised to."""

    @property
    def left_pico(self) -> int:
        return max(self.in_force_pico - self.spent_pico - self.budget.held_pico, 0)

    @property
    def percent(self) -> int:
        """The part that is spent, in whole percent. A budget of nothing is used up."""
        return self.spent_pico * 100 // self.in_force_pico if self.in_force_pico else 100


@dataclass(frozen=True, slots=True)
class _Count:
    """What was counted of a budget's rows before the write lock was taken, so that nobody waits for it."""

    start_us: int
    before_number: int
    spent_pico: int


async def set_to(
    storage: Storage,
    organisation: str,
    amount_pico: int,
    period: BudgetPeriod,
    by: Actor,
    *,
    project: str | None = None,
    member: str | None = None,
    terms: AskedTerms = UNCHANGED,
) -> BudgetStanding:
    """Sets what a project or a member may spend in each period. It is in force for the very next request.

    What was spent in the present period before counts. With an end in `terms`, the amount is raised until then.

    Raises NotFoundError, BadInputError, ConflictError.
    """
    if not 0 <= amount_pico <= MAX_PICO:
        raise BadInputError("a budget is not negative", "0 lets nothing through; softix budgets remove ends it")
    if (project is None) == (member is None):
        raise BadInputError("a budget is of one project or of one member", "name one of them")
    async with storage.snapshot() as unit:
        user, _ = await authorized(unit, organisation, by, Permission.BUDGETS_WRITE)
        wanted = await _asked(unit, user, amount_pico, period, project, member, terms)
        count = await _count(unit, wanted.budget)
    async with storage.writing() as unit:
        user, _ = await authorized(unit, organisation, by, Permission.BUDGETS_WRITE)
        asked, existing = await _asked(unit, user, amount_pico, period, project, member, terms)
        if existing is None:
            spent_pico, now_us = await _spent(unit, asked, count), unit.clock.now_us()
            existing = await unit.budgets.add(replace(asked, spent_at_us=now_us, spent_pico=spent_pico))
        else:
            await unit.budgets.set_terms(asked)
            if asked.rule != existing.rule:
                await unit.budgets.set_spent(existing.id, await _spent(unit, asked, count))
        standing = await standing_of(unit, await unit.budgets.get(existing.id))
        await _note_reached(unit, standing)
        return standing


async def list_all(storage: Storage, organisation: str, by: Actor) -> Sequence[BudgetStanding]:
    """Returns the organisation's budgets, the oldest first. Raises NotFoundError."""
    async with storage.snapshot() as unit:
        user, _ = await authorized(unit, organisation, by, Permission.BUDGETS_READ)
        return await _standings(unit, user.id, await unit.budgets.list(user.id))


async def remove(storage: Storage, organisation: str, budget: str, by: Actor) -> BudgetStanding:
    """Ends a budget. Raises NotFoundError."""
    async with storage.writing() as unit:
        user, _ = await authorized(unit, organisation, by, Permission.BUDGETS_WRITE)
        found = await unit.budgets.find(user.id, budget)
        if found is None:
            raise NotFoundError(f"no budget {budget!r}", f"see: softix budgets list {user.public_id}")
        standing = await standing_of(unit, found)
        await unit.budgets.remove(found.id)
        return standing


async def recount(storage: Storage, organisation: str) -> Sequence[BudgetStanding]:
    """Counts again what each budget of the organisation has spent. A clock that was wrong is a reason to.

    Raises NotFoundError.
    """
    async with storage.snapshot() as unit:
        user, _ = await authorized(unit, organisation, OPERATOR, Permission.BUDGETS_WRITE)
        counts = {one.id: await _count(unit, one) for one in await unit.budgets.list(user.id)}
    async with storage.writing() as unit:
        for budget in await unit.budgets.list(user.id):
            if budget.id in counts:
                await unit.budgets.set_spent(budget.id, await _spent(unit, budget, counts[budget.id]))
        return await _standings(unit, user.id, await unit.budgets.list(user.id))


async def standing_of(unit: Unit, budget: Budget) -> BudgetStanding:
    [standing] = await _standings(unit, budget.user_id, [budget])
    return standing


def as_fields(standing: BudgetStanding) -> dict[str, Any]:
    """Returns the fields as the CLI shows them. Amounts are decimal text in USD."""
    budget, is_raised = standing.budget, standing.in_force_pico > standing.budget.amount_pico
    return {
        "id": budget.public_id,
        "project": None if standing.project is None else standing.project.public_id,
        "member": None if standing.account is None else standing.account.public_id,
        "name": name_of(standing),
        "period": budget.period,
        "amount": format_usd(budget.amount_pico),
        "spent": format_usd(standing.spent_pico),
        "held": format_usd(budget.held_pico),
        "left": format_usd(standing.left_pico),
        "percent": standing.percent,
        "ends_at": format_instant(standing.ends_at_us),
        **terms_fields(budget, is_raised=is_raised),
    }


def name_of(standing: BudgetStanding) -> str:
    """Returns the name that people know its project or member by."""
    if standing.project is not None:
        return standing.project.name
    return "" if standing.account is None else standing.account.display_name


class _Wanted(NamedTuple):
    """A budget as it was asked for, and as it is."""

    budget: Budget
    existing: Budget | None


async def _asked(
    unit: Unit,
    user: User,
    amount_pico: int,
    period: BudgetPeriod,
    project: str | None,
    member: str | None,
    terms: AskedTerms,
) -> _Wanted:
    """Returns the budget as it would be added or changed."""
    account_id = project_id = None
    if project is not None:
        found = await projects.find(unit, user, project)
        projects.require_open(found)
        project_id = found.id
    if member is not None:
        account_id = (await find_member(unit, user, member))[0].id
    now_us, zone = unit.clock.now_us(), (await unit.instance.calendar()).name
    new = Budget(0, new_public_id("bud"), user.id, account_id, project_id, period, amount_pico, now_us)
    existing = next((one for one in await unit.budgets.list(user.id) if _is_same(one, new)), None)
    return _Wanted(changed_terms(new, existing, amount_pico, terms, now_us, zone), existing)


def _is_same(one: Budget, other: Budget) -> bool:
    return (one.account_id, one.project_id, one.period) == (other.account_id, other.project_id, other.period)


async def _count(unit: Unit, budget: Budget) -> _Count:
    start_us = await _start_us(unit, budget)
    before_number = max(await unit.ledger.last_posted() + 1, start_us)
    return _Count(start_us, before_number, await unit.budgets.counted(budget, start_us, before_number))


async def _spent(unit: Unit, budget: Budget, count: _Count) -> int:
    """Returns what is spent in the present period: what was counted, and what was posted since."""
    start_us = await _start_us(unit, budget)
    if start_us != count.start_us:  # the next period has begun meanwhile
        return await unit.budgets.counted(budget, start_us, MAX_PICO)
    return count.spent_pico + await unit.budgets.counted(budget, count.before_number, MAX_PICO)


async def _start_us(unit: Unit, budget: Budget) -> int:
    """Returns the instant at which the budget's present period began."""
    return budget.rule.span(unit.clock.now_us(), await unit.instance.calendar()).start_us


async def _standings(unit: Unit, user_id: int, budgets: Sequence[Budget]) -> Sequence[BudgetStanding]:
    """Returns how budgets of one organisation stand."""
    by, now_us = await unit.instance.calendar(), unit.clock.now_us()
    projects_by_id = {project.id: project for project in await unit.projects.list(user_id)}
    account_ids = {budget.account_id for budget in budgets if budget.account_id is not None}
    accounts = {account_id: await unit.accounts.get(account_id) for account_id in account_ids}
    standings = []
    for budget in budgets:
        state, today = budget.state_at(now_us, by), by.at(now_us)
        standings.append(
            BudgetStanding(
                budget,
                state.spent_in(today),
                state.end_us(today) or 0,
                projects_by_id.get(budget.project_id or 0),
                accounts.get(budget.account_id or 0),
                state.amount_pico,
            )
        )
    return standings


async def _note_reached(unit: Unit, standing: BudgetStanding) -> None:
    """Notes the parts that a new amount has reached already."""
    budget, start_us = standing.budget, await _start_us(unit, standing.budget)
    for percent in reached(standing.spent_pico, standing.in_force_pico, parse_alerts(budget.alerts)):
        await unit.budgets.note(BudgetAlert(budget.id, start_us, percent, unit.clock.now_us()))
