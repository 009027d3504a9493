"""Takes back what was posted on a wrong day, and books it on the right one; see `domain.ledger.redating`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from softix_proxy.domain.core.ids import CORRECTIONS_SLOT, RequestIds
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.ledger.ledger import REVENUE, Transfer
from softix_proxy.domain.ledger.redating import BOOKED, TAKEN_BACK, MisdatedPosting
from softix_proxy.domain.pricing.meters import INPUT_METERS, METERS, OUTPUT_METERS, total
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.numbering import FREE_NUMBER, LAST_CLOSED, LAST_FREE_BEFORE, OLDEST_SINCE
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping, selected
from softix_proxy.storage.sqlite.ledger.corrections import PostTransfer
from softix_proxy.storage.sqlite.metering import budget_sums, cap_sums
from softix_proxy.storage.sqlite.metering.usage_sql import read_meters
from softix_proxy.storage.sqlite.write_path import statements as sql

_METERS = ", ".join(f"sum({name}) AS {name}" for name in METERS)
_MISDATED = RecordMapping(
    MisdatedPosting,
    number=selected("sums.number"),
    posted_us=selected("sums.posted"),
    request_id=selected("root.request_id"),
    user_name=selected("coalesce(users.name, '')"),
    amount_pico=selected("sums.charge"),
    cost_pico=selected("sums.cost"),
    meters=selected(*(f"sums.{name}" for name in METERS), read=read_meters),
    given={"kind": "usage", "day": 0, "reference": None},
)
_PAYMENT = RecordMapping(
    MisdatedPosting,
    kind=selected("t.kind"),
    number=selected("t.id"),
    posted_us=selected("t.id"),
    user_name=selected("users.name"),
    amount_pico=selected("iif(t.to_account > 0, t.amount_pico, -t.amount_pico)"),
    reference=selected("t.reference"),
    given={"day": 0, "cost_pico": 0, "meters": None, "request_id": None},
)
"""The mappings of usage and of payments. Both lack the day, because the query is for one day."""
_ANY = " OR ".join(f"sum({name}) <> 0" for name in ("charge_pico", "cost_pico", *METERS))


def _usage(which: str) -> str:
    """Returns the statement for what requests moved in a span, without movements that were taken back."""
    return f"""
SELECT {_MISDATED.select()} FROM (
  SELECT coalesce(corrects_row_id, id) AS number, max(id) AS posted, sum(charge_pico) AS charge,
    sum(cost_pico) AS cost, {_METERS}
  FROM usage WHERE id >= ?1 AND id < ?2 AND (corrects_row_id IS NULL OR coalesce(note, '') NOT LIKE '{BOOKED}%') {which}
  GROUP BY 1 HAVING {_ANY}
) AS sums JOIN usage AS root ON root.id = sums.number LEFT JOIN users ON users.id = root.user_id ORDER BY 1"""


_ALL_USAGE = _usage("")
_ONE_USAGE = _usage("AND (id = ?3 OR corrects_row_id = ?3)")
_PAYMENTS = f"""
SELECT {_PAYMENT.select()} FROM transfers AS t JOIN users ON users.id = max(t.from_account, t.to_account)
WHERE t.kind <> 'charge' AND t.kind IN ('top-up', 'adjustment') AND t.id >= ?1 AND t.id < ?2
  AND coalesce(t.reference, '') NOT LIKE '{BOOKED}%' AND coalesce(t.reference, '') NOT LIKE '{TAKEN_BACK}%'
  AND NOT EXISTS (SELECT 1 FROM transfers AS done WHERE done.reference = '{BOOKED} ' || t.id) ORDER BY t.id"""
_ACCOUNTS = "SELECT from_account, to_account, amount_pico, kind, note FROM transfers WHERE id = ?"

_COPIED = (
    "user_id, key_id, provider_id, model_id, model_served, endpoint, stream, service_tier, status_code, price_id, "
    "cost_price_id, markup_num, markup_den"
)
_ADD = f"""
INSERT INTO usage (id, request_id, usage_at_us, {_COPIED}, cost_pico, charge_pico,
  hold_pico, latency_ms, attempts, source, note, corrects_row_id, {", ".join(METERS)})
SELECT ?1, ?2, usage_at_us - ?3, {_COPIED}, ?4, ?5, 0, 0, 0, 'correction', ?6, id,
  {", ".join(f"?{at}" for at in range(8, 8 + len(METERS)))} FROM usage WHERE id = ?7"""
_PLACE = "SELECT key_id, model_id, user_id, provider_id FROM usage WHERE id = ?"
_LAST_REQUEST = "SELECT coalesce(max(request_id), 0) FROM usage WHERE corrects_row_id IS NOT NULL"


async def closed_us(session: DatabaseSession) -> int:
    [(end_us,)] = await session.all(LAST_CLOSED)
    return int(end_us)


async def find(session: DatabaseSession, span: Span) -> AsyncIterator[Sequence[MisdatedPosting]]:
    by = await session.calendar()
    reached_us = span.from_us
    while (row := await session.one(OLDEST_SINCE, reached_us, span.to_us)) and row[0] is not None:
        day = by.day(row[0])
        end_us = min(by.start_us(day + 1), span.to_us)
        found = _MISDATED.read_all(await session.all(_ALL_USAGE, reached_us, end_us))
        found += _PAYMENT.read_all(await session.all(_PAYMENTS, reached_us, end_us))
        if found:
            yield sorted((replace(one, day=day) for one in found), key=lambda one: one.number)
        reached_us = end_us


async def redate(
    session: DatabaseSession, post: PostTransfer, misdated: MisdatedPosting, booked_us: int, note: str
) -> bool:
    """Moves one posting, in a transaction that writes. Returns False if there is nothing to move.

    The numbers are those of the day and of the instant, or the next free ones.
    """
    by = await session.calendar()
    begun_us, end_us = by.start_us(misdated.day), by.start_us(misdated.day + 1)
    if misdated.kind == "usage":
        rows = await session.all(_ONE_USAGE, begun_us, end_us, misdated.number)
        if not rows:
            return False
        misdated = replace(_MISDATED.read(rows[0]), day=misdated.day)
    elif await session.one("SELECT 1 FROM transfers WHERE reference = ?", f"{BOOKED} {misdated.number}"):
        return False
    move = _move_usage if misdated.kind == "usage" else _move_payment
    [(back_us,)] = await session.all(LAST_FREE_BEFORE, end_us)
    await move(session, post, misdated, _Step(back_us, -1, f"{TAKEN_BACK}, {note}"))
    if booked_us >= session.clock.now_us():  # the number is requested only now, because both may be of the same day
        there_us = await session.next_number()
    else:
        [(there_us,)] = await session.all(FREE_NUMBER, booked_us)
    await move(session, post, misdated, _Step(there_us, 1, f"{BOOKED}, {note}"))
    return True


class _Step(NamedTuple):
    number: int
    sign: int
    """The sign of the amounts: -1 takes the posting back, 1 books it."""
    note: str


async def _move_usage(session: DatabaseSession, post: PostTransfer, one: MisdatedPosting, step: _Step) -> None:
    """Adds a row that corrects the first one, with amounts and quantities."""
    number, sign, note = step
    earlier_us = max(one.posted_us - number, 0) if sign > 0 else 0
    charge_pico, cost_pico, meters = sign * one.amount_pico, sign * one.cost_pico, one.meters or {}
    [(last_request,)] = await session.all(_LAST_REQUEST)
    request_id = max(RequestIds(CORRECTIONS_SLOT).next(session.clock.now_us()), last_request + 1)
    quantities = [sign * meters[name] if name in meters else None for name in METERS]
    await session.run(_ADD, number, request_id, earlier_us, cost_pico, charge_pico, note, one.number, *quantities)
    [(key_id, model_id, user_id, provider_id)] = await session.all(_PLACE, one.number)
    if charge_pico:
        giver, taker = (user_id, REVENUE) if charge_pico > 0 else (REVENUE, user_id)
        moved = Transfer(
            id=number,
            from_account=giver,
            to_account=taker,
            amount_pico=abs(charge_pico),
            kind="correction",
            note=note,
        )
        await post(moved, number)
    added = sql.DailySum(
        day=(await session.calendar()).day(number),
        key_id=key_id,
        model_id=model_id,
        user_id=user_id,
        provider_id=provider_id,
        input_tokens=sign * total(meters, INPUT_METERS),
        output_tokens=sign * total(meters, OUTPUT_METERS),
        cost_pico=cost_pico,
        charge_pico=charge_pico,
    )
    await session.run(sql.of(sql.ADD_DAILY, 1), *sql.DAILY.values(added))
    await budget_sums.correct(session, key_id, number, charge_pico)
    await cap_sums.correct(session, user_id, key_id, model_id, number, charge_pico, one.number)


async def _move_payment(session: DatabaseSession, post: PostTransfer, one: MisdatedPosting, step: _Step) -> None:
    number, sign, note = step
    [(giver, taker, amount_pico, kind, told)] = await session.all(_ACCOUNTS, one.number)
    giver, taker = (giver, taker) if sign > 0 else (taker, giver)
    reference = f"{BOOKED if sign > 0 else TAKEN_BACK} {one.number}"
    moved = Transfer(
        id=number,
        from_account=giver,
        to_account=taker,
        amount_pico=amount_pico,
        kind=kind,
        reference=reference,
        note=told or note,
    )
    await post(moved, number)
