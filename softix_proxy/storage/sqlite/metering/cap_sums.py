"""The sums of usage rows by caps. The state of each cap is such a sum.

A key's cap counts the rows of the key, and those of the keys that it replaced, up to their replacement. A correction
counts where the row that it corrects did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from softix_proxy.domain.core.calendar import Calendar, PeriodSpan
from softix_proxy.domain.core.money import MAX_PICO
from softix_proxy.domain.ledger.ledger import LedgerViolation
from softix_proxy.domain.ledger.redating import REDATED
from softix_proxy.domain.metering.budgets import in_force
from softix_proxy.domain.metering.caps import Cap, CapAlert, CapState, ModelName
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping
from softix_proxy.storage.sqlite.core.wide_sums import split_sum, whole
from softix_proxy.storage.sqlite.write_path import statements as sql

SPENT = "what a cap has spent is the sum of its keys' charges in the period"
CAP = RecordMapping(
    Cap,
    "id",
    "user_id",
    "key_id",
    "models",
    "period",
    "amount_pico",
    "created_at_us",
    "zone",
    "reset_day",
    "alerts",
    "raised_pico",
    "raised_until_us",
    "held_pico",
    "spent_at_us",
    "spent_pico",
)
_EVER = MAX_PICO
_CHARGED = f"iif(note LIKE '{REDATED}%', id, coalesce(corrects_row_id, id))"
_ROW = f"SELECT user_id, key_id, model_id, charge_pico, id AS number, {_CHARGED} AS charged_us FROM usage"
_SUMS = f"""
WITH RECURSIVE chain (part_id, until_us) AS (
  SELECT ?5, {_EVER}
  UNION ALL
  SELECT rotated_from, created_at_us FROM chain JOIN keys ON keys.id = part_id WHERE rotated_from IS NOT NULL
)
SELECT model_id, {split_sum("charge_pico", "charge")} FROM (
  {_ROW} WHERE id >= ?1 AND id < min(?2, ?4)
  UNION ALL
  {_ROW} WHERE corrects_row_id >= ?3 AND corrects_row_id < ?4 AND id >= max(?1, ?4) AND id < ?2
) AS u WHERE charged_us >= ?3 AND charged_us < ?4 AND user_id = ?6
  AND (?5 IS NULL OR EXISTS (SELECT 1 FROM chain WHERE part_id = u.key_id AND u.number < until_us))
GROUP BY model_id"""
"""The charges of a period (from ?3, before ?4) in the rows from ?1 and before ?2: of the key ?5, or of the user ?6."""
_CHARGED_TO = f"SELECT {CAP.select()} FROM caps WHERE user_id = ?1 AND (key_id IS NULL OR key_id = ?2)"
_IS_PART = "SELECT 1 FROM keys WHERE id = ? AND rotated_from IS NOT NULL AND created_at_us >= ?"


async def names(session: DatabaseSession) -> Mapping[int, ModelName]:
    """Returns the names of all models by their numbers."""
    rows = await session.all("SELECT m.id, p.name, m.name FROM models AS m JOIN providers AS p ON p.id = provider_id")
    return {number: ModelName(provider, model) for number, provider, model in rows}


async def counted(session: DatabaseSession, cap: Cap, span: PeriodSpan, from_number: int, before_number: int) -> int:
    """Returns the charges of the cap in that period, in the rows with these numbers."""
    rows = await session.all(_SUMS, from_number, before_number, *span, cap.key_id, cap.user_id)
    named = await names(session) if cap.models else {}
    state = CapState(id=cap.id, amount_pico=0, period=cap.period, models=cap.models)
    return sum(whole(*sums) for number, *sums in rows if not cap.models or state.counts([named[number]]))


async def correct(
    session: DatabaseSession, user_id: int, key_id: int, model_id: int, charged_us: int, difference_pico: int
) -> None:
    """Applies a change of what was charged at `charged_us` to the caps in which it counts."""
    by, now_us = await session.calendar(), session.clock.now_us()
    found = CAP.read_all(await session.all(_CHARGED_TO, user_id, key_id))
    named = await names(session) if any(cap.models for cap in found) else {}
    for cap in found:
        state = cap.state_at(now_us, by)
        state.amount_pico = in_force(cap.amount_pico, cap.raised_pico, cap.raised_until_us, now_us)
        if cap.models and not state.counts([named[model_id]]):
            continue
        start_us = state.start_at(charged_us, by)
        for percent in state.correct(difference_pico, charged_us, by):
            await add_alert(
                session, CapAlert(cap_id=cap.id, period_start_us=start_us, percent=percent, reached_at_us=now_us)
            )
        changed = {"spent_at_us": state.spent_at_us, "spent_pico": state.spent_pico}
        await session.update("caps", changed, "id = ?", cap.id)


async def add_alert(session: DatabaseSession, alert: CapAlert) -> None:
    """Notes that a part of a cap is reached. Nothing changes if it is noted."""
    await session.run(sql.of(sql.ADD_CAP_ALERTS, 1), *sql.CAP_ALERT.values(alert))


async def count_again(session: DatabaseSession, by: Calendar, now_us: int) -> None:
    """Counts what every cap has spent in the period of this calendar that contains the present."""
    for cap in await _all(session):
        span = cap.rule.span(now_us, by)
        spent_pico = await counted(session, cap, span, span.start_us, _EVER)
        await session.update("caps", {"spent_at_us": now_us, "spent_pico": spent_pico}, "id = ?", cap.id)


async def wrong_spend(session: DatabaseSession) -> Sequence[LedgerViolation]:
    """Finds caps whose state is not the sum of the rows of the period that it is of.

    A key that replaced another one in that period is left out: no row says which of them ended first.
    """
    by, found = await session.calendar(), []
    for cap in await _all(session):
        span = cap.rule.span(cap.spent_at_us, by)
        if await session.one(_IS_PART, cap.key_id, span.start_us):
            continue
        rows_pico = await counted(session, cap, span, span.start_us, _EVER)
        if cap.spent_pico != rows_pico:
            detail = f"cached {cap.spent_pico}, rows {rows_pico} pico-USD; set the cap again: softix keys limits"
            found.append(LedgerViolation(SPENT, f"cap {cap.id}", detail))
    return found


async def _all(session: DatabaseSession) -> Sequence[Cap]:
    return CAP.read_all(await session.all(f"SELECT {CAP.select()} FROM caps ORDER BY id"))
