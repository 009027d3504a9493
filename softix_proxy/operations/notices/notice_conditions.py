"""Finds low balances and reached caps, and tells people of each once.

A job calls this every minute. It only reads, unless there is something new, and no request waits for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from softix_proxy.domain.access.keys import Key
from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.accounts.accounts import Account
from softix_proxy.domain.core.calendar import Today, date_of
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.notices.notice_conditions import CAP_PART, LowBalance
from softix_proxy.domain.notices.outbox import Notice, NoticeKind
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.operations.core.shown_names import name_of
from softix_proxy.operations.notices import facts, recipients
from softix_proxy.operations.notices.outbox import enqueue


@dataclass(frozen=True, slots=True)
class _Condition:
    """A condition that holds, and the message of it."""

    name: str
    """It names the person, so that each person is told once."""
    notice: Notice
    is_told: bool = True
    """Whether it is worth a message of its own. A higher threshold that was passed together with a lower one is not."""


async def check(storage: Storage, default_pico: int) -> int:
    """Tells people of the conditions that hold and were not told, and forgets those that ended.

    `default_pico` is the balance at which people who may pay are told, if they chose none; 0 tells only those who
    chose. Returns how many messages were added.
    """
    reading = storage.reading()
    holding = [*await _low_balances(reading, default_pico), *await _reached_caps(reading)]
    names = {condition.name for condition in holding}
    told = frozenset[str]()
    for kind in (NoticeKind.LOW_BALANCE, NoticeKind.CAP_REACHED):
        told |= await reading.notice_conditions.standing(kind)
    begun = [condition for condition in holding if condition.name not in told]
    if not begun and told <= names:
        return 0
    async with storage.writing() as unit:
        await unit.notice_conditions.end(told - names)
        return await _begin(unit, begun)


async def _begin(unit: Unit, conditions: Sequence[_Condition]) -> int:
    added, now_us = 0, unit.clock.now_us()
    for condition in conditions:
        is_new = await unit.notice_conditions.begin(condition.name, condition.notice.kind, now_us)
        if is_new and condition.is_told:
            added += await enqueue(unit, None, condition.notice)
    return added


async def _low_balances(unit: Unit, default_pico: int) -> list[_Condition]:
    chosen = await unit.notice_preferences.all_thresholds()
    greatest_pico = max([default_pico, *(each for thresholds in chosen.values() for each in thresholds)])
    found: list[_Condition] = []
    for low in await unit.notice_conditions.low_balances(greatest_pico):
        organisation = await name_of(unit, low.user_id)
        members = await unit.memberships.of_organisation(low.user_id)
        payers = {member.account_id for member in members if member.may(Permission.PAYMENTS_WRITE)}
        for account in await recipients.members_who_may(unit, low.user_id, Permission.ORGANISATIONS_READ):
            usual = [default_pico] if default_pico and account.id in payers else []
            passed = [each for each in chosen.get((account.id, low.user_id), usual) if low.posted_pico <= each]
            found += _passed(unit.clock.now_us(), account, organisation, low, passed)
    return found


def _passed(
    now_us: int, account: Account, organisation: str, low: LowBalance, thresholds_pico: Sequence[int]
) -> list[_Condition]:
    """Returns a condition for each threshold. Only the lowest one is told, because it says the most."""
    found = []
    for threshold_pico in thresholds_pico:
        name = f"low_balance:{account.id}:{low.user_id}:{threshold_pico}"
        values = {
            "organisation": organisation,
            "balance": facts.usd(low.posted_pico),
            "threshold": facts.usd(threshold_pico),
        }
        # A balance that goes up and down around a threshold is told once a day.
        once = f"{name}:{date_of(now_us // DAY_US).isoformat()}"
        notice = Notice(NoticeKind.LOW_BALANCE, account.email, values, account_id=account.id, once=once)
        found.append(_Condition(name, notice, is_told=threshold_pico == min(thresholds_pico)))
    return found


async def _reached_caps(unit: Unit) -> list[_Condition]:
    reached: dict[int, list[Key]] = {}
    for key_id in await unit.notice_conditions.spent_keys():
        key = await unit.keys.get(key_id)
        cap_pico, period = key.limits.cap_pico, key.limits.cap_period
        if cap_pico and (await unit.keys.spend(key_id)).of(period) >= cap_pico - cap_pico // CAP_PART:
            reached.setdefault(key.user_id, []).append(key)
    today = (await unit.instance.calendar()).at(unit.clock.now_us())
    found: list[_Condition] = []
    for user_id, keys in reached.items():
        organisation = await name_of(unit, user_id)
        people = await recipients.members_who_may(unit, user_id, Permission.KEYS_OWN)
        found += [_reached_cap(today, key, organisation, account) for key in keys for account in people]
    return found


def _reached_cap(today: Today, key: Key, organisation: str, account: Account) -> _Condition:
    cap_pico, period = key.limits.cap_pico or 0, key.limits.cap_period
    name = f"cap_reached:{key.public_id}:{cap_pico}:{period}:{today.start_us(period)}:{account.id}"
    values = {
        "organisation": organisation,
        "key": facts.key_name(key),
        "cap": facts.usd(cap_pico),
        "period": facts.PERIODS[period],
    }
    return _Condition(name, Notice(NoticeKind.CAP_REACHED, account.email, values, account_id=account.id, once=name))
