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
from softix_proxy.domain.metering.caps import Cap, CapAlert, CapState, EndUserSpend, ModelName
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping, converted
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
    "tag",
    end_users=converted(bool),
)
_EVER = MAX_PICO
_CHARGED = f"iif(note LIKE '{REDATED}%', id, coalesce(corrects_row_id, id))"
_ROW = f"""SELECT user_id, key_id, model_id, charge_pico, id AS number, {_CHARGED} AS charged_us,
  coalesce(corrects_row_id, id) AS tagged_id FROM usage"""
_SUMS = f"""
WITH RECURSIVE chain (part_id, until_us) AS (
  SELECT ?5, {_EVER}
  UNION ALL
  SELECT rotated_from, created_at_us FROM chain JOIN keys ON keys.id = part_id WHERE rotated_from IS NOT NULL
)
SELECT model_id, {{who}}, {split_sum("charge_pico", "charge")} FROM (
  {_ROW} WHERE id >= ?1 AND id < min(?2, ?4)
  UNION ALL
  {_ROW} WHERE corrects_row_id >= ?3 AND corrects_row_id < ?4 AND id >= max(?1, ?4) AND id < ?2
) AS u {{tags}} WHERE charged_us >= ?3 AND charged_us < ?4 AND user_id = ?6
  AND (?5 IS NULL OR EXISTS (SELECT 1 FROM chain WHERE part_id = u.key_id AND u.number < until_us))
{{selected}} GROUP BY 1, 2"""
"""The charges of a period (from ?3, before ?4) in the rows from ?1 and before ?2: of the key ?5, or of the user ?6."""
_TAGGED = "JOIN usage_tags AS t ON t.usage_id = u.tagged_id"
_OF_ALL = _SUMS.format(who="''", tags="", selected="")
_OF_TAG = _SUMS.format(who="''", tags=_TAGGED, selected="AND instr(' ' || t.tags || ' ', ' ' || ?7 || ' ')")
_OF_END_USERS = _SUMS.format(
    who="t.end_user",
    tags=_TAGGED,
    selected="AND t.end_user <> '' AND (?7 = '' OR instr(' ' || t.tags || ' ', ' ' || ?7 || ' '))",
)
_TAGS_OF = "SELECT tags, end_user FROM usage_tags WHERE usage_id = ?"
_END_USER = RecordMapping(EndUserSpend, *EndUserSpend._fields)
_END_USERS = f"SELECT {_END_USER.select()} FROM cap_end_users WHERE cap_id = ?"
_SPENT_OF_END_USER = """
INSERT INTO cap_end_users (cap_id, end_user, spent_at_us, spent_pico) VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET spent_at_us = excluded.spent_at_us, spent_pico = excluded.spent_pico"""
_CHARGED_TO = f"SELECT {CAP.select()} FROM caps WHERE user_id = ?1 AND (key_id IS NULL OR key_id = ?2)"
_IS_PART = "SELECT 1 FROM keys WHERE id = ? AND rotated_from IS NOT NULL AND created_at_us >= ?"


async def names(session: DatabaseSession) -> Mapping[int, ModelName]:
    """Returns the names of all models by their numbers."""
    rows = await session.all("SELECT m.id, p.name, m.name FROM models AS m JOIN providers AS p ON p.id = provider_id")
    return {number: ModelName(provider, model) for number, provider, model in rows}


async def counted(session: DatabaseSession, cap: Cap, span: PeriodSpan, from_number: int, before_number: int) -> int:
    """Returns the charges of the cap in that period, in the rows with these numbers."""
    return (await _counted(session, _OF_TAG if cap.tag else _OF_ALL, cap, span, from_number, before_number)).get("", 0)


async def counted_by_end_user(
    session: DatabaseSession, cap: Cap, span: PeriodSpan, from_number: int, before_number: int
) -> Mapping[str, int]:
    """Returns the same for each end user who has any charge."""
    return await _counted(session, _OF_END_USERS, cap, span, from_number, before_number)


async def _counted(
    session: DatabaseSession, statement: str, cap: Cap, span: PeriodSpan, from_number: int, before_number: int
) -> Mapping[str, int]:
    tag = () if statement is _OF_ALL else (cap.tag,)
    rows = await session.all(statement, from_number, before_number, *span, cap.key_id, cap.user_id, *tag)
    named = await names(session) if cap.models else {}
    state = CapState(id=cap.id, amount_pico=0, period=cap.period, models=cap.models)
    found: dict[str, int] = {}
    for number, who, *sums in rows:
        if not cap.models or state.counts([named[number]]):
            found[who] = found.get(who, 0) + whole(*sums)
    return found


async def of_end_users(session: DatabaseSession, cap_id: int) -> Sequence[EndUserSpend]:
    """Returns what each end user has spent and holds."""
    return _END_USER.read_all(await session.all(_END_USERS, cap_id))


async def set_spent_by_end_user(session: DatabaseSession, cap_id: int, spent_pico: Mapping[str, int]) -> None:
    """Replaces what every end user has spent in the present period."""
    now_us = session.clock.now_us()
    await session.update("cap_end_users", {"spent_at_us": now_us, "spent_pico": 0}, "cap_id = ?", cap_id)
    for end_user, amount_pico in spent_pico.items():
        await session.run(_SPENT_OF_END_USER, cap_id, end_user, now_us, amount_pico)


async def correct(
    session: DatabaseSession,
    user_id: int,
    key_id: int,
    model_id: int,
    charged_us: int,
    difference_pico: int,
    usage_id: int,
) -> None:
    """Applies a change of what was charged at `charged_us` to the caps in which the row `usage_id` counts."""
    by, now_us = await session.calendar(), session.clock.now_us()
    found = CAP.read_all(await session.all(_CHARGED_TO, user_id, key_id))
    named = await names(session) if any(cap.models for cap in found) else {}
    tags, end_user = "", ""
    if any(cap.tag or cap.end_users for cap in found):
        tags, end_user = await session.one(_TAGS_OF, usage_id) or ("", "")
    for cap in found:
        state = cap.state_at(now_us, by)
        if not state.is_of(tags, end_user):
            continue
        if cap.end_users:
            known = [each for each in await of_end_users(session, cap.id) if each.end_user == end_user]
            state = state.for_end_user(*(known[0] if known else (end_user,)))
        state.amount_pico = in_force(cap.amount_pico, cap.raised_pico, cap.raised_until_us, now_us)
        if cap.models and not state.counts([named[model_id]]):
            continue
        start_us = state.start_at(charged_us, by)
        for percent in state.correct(difference_pico, charged_us, by):
            await add_alert(
                session, CapAlert(cap_id=cap.id, period_start_us=start_us, percent=percent, reached_at_us=now_us)
            )
        if cap.end_users:
            await session.run(_SPENT_OF_END_USER, cap.id, end_user, state.spent_at_us, state.spent_pico)
            continue
        changed = {"spent_at_us": state.spent_at_us, "spent_pico": state.spent_pico}
        await session.update("caps", changed, "id = ?", cap.id)


async def add_alert(session: DatabaseSession, alert: CapAlert) -> None:
    """Notes that a part of a cap is reached. Nothing changes if it is noted."""
    await session.run(sql.of(sql.ADD_CAP_ALERTS, 1), *sql.CAP_ALERT.values(alert))


async def count_again(session: DatabaseSession, by: Calendar, now_us: int) -> None:
    """Counts what every cap has spent in the period of this calendar that contains the present."""
    for cap in await _all(session):
        span = cap.rule.span(now_us, by)
        if cap.end_users:
            by_end_user = await counted_by_end_user(session, cap, span, span.start_us, _EVER)
            await set_spent_by_end_user(session, cap.id, by_end_user)
            continue
        spent_pico = await counted(session, cap, span, span.start_us, _EVER)
        await session.update("caps", {"spent_at_us": now_us, "spent_pico": spent_pico}, "id = ?", cap.id)


async def wrong_spend(session: DatabaseSession) -> Sequence[LedgerViolation]:
    """Finds caps whose state is not the sum of the rows of the period that it is of.

    A key that replaced another one in that period is left out: no row says which of them ended first.
    """
    by, found = await session.calendar(), list[LedgerViolation]()
    for cap in await _all(session):
        if cap.end_users:
            found += await _wrong_spend_of_end_users(session, cap, by)
            continue
        span = cap.rule.span(cap.spent_at_us, by)
        if await session.one(_IS_PART, cap.key_id, span.start_us):
            continue
        rows_pico = await counted(session, cap, span, span.start_us, _EVER)
        if cap.spent_pico != rows_pico:
            detail = f"cached {cap.spent_pico}, rows {rows_pico} pico-USD; set the cap again: softix keys limits"
            found.append(LedgerViolation(SPENT, f"cap {cap.id}", detail))
    return found


async def _wrong_spend_of_end_users(session: DatabaseSession, cap: Cap, by: Calendar) -> Sequence[LedgerViolation]:
    sums: dict[PeriodSpan, Mapping[str, int]] = {}
    found: list[LedgerViolation] = []
    for each in await of_end_users(session, cap.id):
        span = cap.rule.span(each.spent_at_us, by)
        if await session.one(_IS_PART, cap.key_id, span.start_us):
            continue
        if span not in sums:
            sums[span] = await counted_by_end_user(session, cap, span, span.start_us, _EVER)
        rows_pico = sums[span].get(each.end_user, 0)
        if each.spent_pico != rows_pico:
            detail = f"cached {each.spent_pico}, rows {rows_pico} pico-USD; set the cap again: softix keys limits"
            found.append(LedgerViolation(SPENT, f"cap {cap.id} of end user {each.end_user}", detail))
    return found


async def _all(session: DatabaseSession) -> Sequence[Cap]:
    return CAP.read_all(await session.all(f"SELECT {CAP.select()} FROM caps ORDER BY id"))
