"""The sums of usage rows by the owners of their keys. The state of each budget is such a sum.

A row counts for those who owned its key at its posting. A correction counts where the row that it corrects did, and
what was booked on another day counts on that day; see `domain.ledger.redating`.
"""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.domain.core.calendar import Calendar, PeriodSpan
from softix_proxy.domain.core.money import MAX_PICO
from softix_proxy.domain.ledger.ledger import LedgerViolation
from softix_proxy.domain.ledger.redating import REDATED
from softix_proxy.domain.metering.budgets import Budget, BudgetAlert, BudgetState, in_force
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping
from softix_proxy.storage.sqlite.core.wide_sums import split_sum, whole
from softix_proxy.storage.sqlite.write_path import statements as sql

SPENT = "what a budget has spent is the sum of its keys' charges in the period"
EVER = MAX_PICO
"""A number above that of every posting."""
BUDGET = RecordMapping(
    Budget,
    "id",
    "public_id",
    "user_id",
    "account_id",
    "project_id",
    "period",
    "amount_pico",
    "created_at_us",
    "held_pico",
    "spent_at_us",
    "spent_pico",
    "zone",
    "reset_day",
    "alerts",
    "raised_pico",
    "raised_until_us",
)
STATE = RecordMapping(
    BudgetState,
    "id",
    "amount_pico",
    "period",
    "held_pico",
    "spent_at_us",
    "spent_pico",
    "zone",
    "reset_day",
    "alerts",
    "raised_pico",
    "raised_until_us",
)
_CHARGED = f"iif(note LIKE '{REDATED}%', id, coalesce(corrects_row_id, id))"
_SUMS = f"""
SELECT keys.user_id, o.account_id, o.project_id, {split_sum("charge_pico", "charge")} FROM (
  SELECT key_id, charge_pico, {_CHARGED} AS charged_us FROM usage WHERE id >= ?1 AND id < min(?2, ?4)
  UNION ALL
  SELECT key_id, charge_pico, {_CHARGED} FROM usage
  WHERE corrects_row_id >= ?3 AND corrects_row_id < ?4 AND id >= max(?1, ?4) AND id < ?2
) AS u JOIN key_owners AS o ON o.key_id = u.key_id
  AND o.from_number <= charged_us AND charged_us < coalesce(o.until_number, {EVER})
JOIN keys ON keys.id = u.key_id
WHERE charged_us >= ?3 AND charged_us < ?4 GROUP BY keys.user_id, o.account_id, o.project_id"""
"""The charges of a period (from ?3, before ?4) in the rows from ?1 and before ?2, by organisation and owners.

Of what was posted after the period, only corrections can belong to it, and these have an index.
"""
_CHARGED_TO = f"""
SELECT {", ".join(f"b.{column}" for column in STATE.columns)} FROM key_owners AS o JOIN keys ON keys.id = o.key_id
JOIN budgets AS b ON b.user_id = keys.user_id AND (b.account_id = o.account_id OR b.project_id = o.project_id)
WHERE o.key_id = ?1 AND o.from_number <= ?2 AND ?2 < coalesce(o.until_number, {EVER})"""
"""The budgets of those who owned the key ?1 at the posting ?2."""
_OwnerSums = dict[tuple[int, int | None, int | None], int]


async def counted(
    session: DatabaseSession, budget: Budget, span: PeriodSpan, from_number: int, before_number: int
) -> int:
    """Returns the charges of the budget in that period, in the rows with these numbers."""
    return _of(budget, await _sums(session, from_number, before_number, *span))


async def correct(session: DatabaseSession, key_id: int, charged_us: int, difference_pico: int) -> None:
    """Applies a change of what was charged at `charged_us` to the budgets of those who owned the key then."""
    by, now_us = await session.calendar(), session.clock.now_us()
    for state in STATE.read_all(await session.all(_CHARGED_TO, key_id, charged_us)):
        start_us = state.start_at(charged_us, by)
        state.amount_pico = in_force(state.amount_pico, state.raised_pico, state.raised_until_us, now_us)
        for percent in state.correct(difference_pico, charged_us, by):
            await add_alert(session, BudgetAlert(state.id, start_us, percent, now_us))
        await session.update("budgets", STATE.row(state, "spent_at_us", "spent_pico"), "id = ?", state.id)


async def add_alert(session: DatabaseSession, alert: BudgetAlert) -> None:
    """Notes that a part of a budget is reached. Nothing changes if it is noted."""
    await session.run(sql.of(sql.ADD_ALERTS, 1), *sql.ALERT.values(alert))


async def count_again(session: DatabaseSession, by: Calendar, now_us: int) -> None:
    """Counts what every budget has spent in the period of this calendar that contains the present."""
    for budget in await _all(session):
        span = budget.rule.span(now_us, by)
        spent_pico = await counted(session, budget, span, span.start_us, EVER)
        await session.update("budgets", {"spent_at_us": now_us, "spent_pico": spent_pico}, "id = ?", budget.id)


async def wrong_spend(session: DatabaseSession) -> Sequence[LedgerViolation]:
    """Finds budgets whose state is not the sum of the rows of the period that it is of."""
    by, found = await session.calendar(), []
    sums: dict[PeriodSpan, _OwnerSums] = {}
    for budget in await _all(session):
        span = budget.rule.span(budget.spent_at_us, by)
        if span not in sums:
            sums[span] = await _sums(session, span[0], EVER, *span)
        rows_pico = _of(budget, sums[span])
        if budget.spent_pico != rows_pico:
            detail = f"cached {budget.spent_pico}, rows {rows_pico} pico-USD; count again: softix budgets recount"
            found.append(LedgerViolation(SPENT, budget.public_id, detail))
    return found


async def _all(session: DatabaseSession) -> Sequence[Budget]:
    return BUDGET.read_all(await session.all(f"SELECT {BUDGET.select()} FROM budgets ORDER BY id"))


async def _sums(
    session: DatabaseSession, from_number: int, before_number: int, from_us: int, before_us: int
) -> _OwnerSums:
    rows = await session.all(_SUMS, from_number, before_number, from_us, before_us)
    return {(user_id, account_id, project_id): whole(*sums) for user_id, account_id, project_id, *sums in rows}


def _of(budget: Budget, sums: _OwnerSums) -> int:
    """Returns the sum for the budget's member within the organisation, or for its project."""
    return sum(
        charge_pico
        for (user_id, account_id, project_id), charge_pico in sums.items()
        if user_id == budget.user_id
        and (account_id == budget.account_id if budget.project_id is None else project_id == budget.project_id)
    )
