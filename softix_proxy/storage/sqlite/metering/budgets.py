"""The rows of budgets. The journal owns their state (holds and spend), as it does with keys."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.domain.core.calendar import Today
from softix_proxy.domain.core.errors import ConflictError, NotFoundError
from softix_proxy.domain.metering.budgets import Budget, BudgetAlert
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.engine import IntegrityError
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping
from softix_proxy.storage.sqlite.metering import budget_sums
from softix_proxy.storage.sqlite.metering.budget_sums import BUDGET

_TERMS = ("amount_pico", "zone", "reset_day", "alerts", "raised_pico", "raised_until_us")
_SELECT = f"SELECT {BUDGET.select()} FROM budgets"
_ALERT = RecordMapping(BudgetAlert, *BudgetAlert._fields)
_LINK = """
INSERT INTO key_budgets (key_id, budget_id) SELECT o.key_id, b.id FROM budgets AS b
JOIN key_owners AS o ON o.until_number IS NULL AND (o.account_id = b.account_id OR o.project_id = b.project_id)
JOIN keys ON keys.id = o.key_id AND keys.user_id = b.user_id WHERE b.id = ?"""
_HOLD = """
UPDATE budgets SET held_pico = (
  SELECT coalesce(sum(s.held_pico), 0) FROM key_budgets AS k JOIN key_states AS s USING (key_id) WHERE budget_id = ?1
) WHERE id = ?1"""


class SqliteBudgetStore:
    """Stores budgets, and which parts of them were reached."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def add(self, budget: Budget) -> Budget:
        columns = BUDGET.row(budget)
        del columns["id"]
        try:
            number = await self._session.insert("budgets", columns)
        except IntegrityError:
            raise ConflictError(
                f"there is a budget a {budget.period} already", "change that one: softix budgets list"
            ) from None
        await self._session.run(_LINK, number)
        await self._session.run(_HOLD, number)
        return await self.get(number)

    async def get(self, budget_id: int) -> Budget:
        row = await self._session.one(f"{_SELECT} WHERE id = ?", budget_id)
        if row is None:
            raise NotFoundError(f"no budget with the number {budget_id}")
        return BUDGET.read(row)

    async def find(self, user_id: int, public_id: str) -> Budget | None:
        row = await self._session.one(f"{_SELECT} WHERE user_id = ? AND public_id = ?", user_id, public_id)
        return BUDGET.read(row) if row else None

    async def list(self, user_id: int | None = None) -> Sequence[Budget]:
        rows = await self._session.all(f"{_SELECT} WHERE ?1 IS NULL OR user_id = ?1 ORDER BY id", user_id)
        return BUDGET.read_all(rows)

    async def today(self) -> Today:
        return (await self._session.calendar()).at(self._session.clock.now_us())

    async def counted(self, budget: Budget, from_number: int, before_number: int) -> int:
        span = budget.rule.span(self._session.clock.now_us(), await self._session.calendar())
        return await budget_sums.counted(self._session, budget, span, from_number, before_number)

    async def set_amount(self, budget_id: int, amount_pico: int) -> None:
        await self._session.update("budgets", {"amount_pico": amount_pico}, "id = ?", budget_id)

    async def set_terms(self, budget: Budget) -> None:
        await self._session.update("budgets", BUDGET.row(budget, *_TERMS), "id = ?", budget.id)

    async def set_spent(self, budget_id: int, spent_pico: int) -> None:
        changed = {"spent_at_us": self._session.clock.now_us(), "spent_pico": spent_pico}
        await self._session.update("budgets", changed, "id = ?", budget_id)

    async def remove(self, budget_id: int) -> None:
        await self._session.run("DELETE FROM budgets WHERE id = ?", budget_id)

    async def note(self, alert: BudgetAlert) -> None:
        await budget_sums.add_alert(self._session, alert)

    async def untold(self, limit: int) -> Sequence[BudgetAlert]:
        rows = await self._session.all(
            f"SELECT {_ALERT.select()} FROM budget_alerts WHERE told_at_us IS NULL ORDER BY reached_at_us LIMIT ?",
            limit,
        )
        return _ALERT.read_all(rows)

    async def told(self, alert: BudgetAlert, now_us: int) -> None:
        await self._session.update(
            "budget_alerts",
            {"told_at_us": now_us},
            "budget_id = ? AND period_start_us = ? AND percent = ?",
            alert.budget_id,
            alert.period_start_us,
            alert.percent,
        )
