"""Finds low balances, reached caps and failing providers, and tells endpoints of each once.

A condition that was told is noted under the name of its event until it ends, beside those of which people are told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from softix_proxy.domain.access.keys import Key
from softix_proxy.domain.core.calendar import Today, date_of
from softix_proxy.domain.core.clock import DAY_US, SECOND_US, format_instant
from softix_proxy.domain.core.money import format_usd
from softix_proxy.domain.notices.notice_conditions import CAP_PART
from softix_proxy.domain.notices.webhook_events import EventKind
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.operations.notices import webhook_events

_FRESH_US = 600 * SECOND_US
"""A report that is older says nothing: a breaker pauses for five minutes at most, and a dead process is silent."""


@dataclass(frozen=True, slots=True)
class _Condition:
    """A condition that holds, and the event of it."""

    name: str
    data: Mapping[str, Any]
    user_id: int | None
    once: str = ""


async def check(storage: Storage, default_pico: int) -> int:
    """Adds an event for each condition that begins, and forgets those that ended. Returns how many deliveries.

    It only reads, unless there is something new. `default_pico` is the balance that counts as low; 0 means none.
    """
    reading, added = storage.reading(), 0
    for kind in (EventKind.BALANCE_LOW, EventKind.CAP_REACHED):
        holding = await _holding(reading, kind, default_pico)
        told = await reading.notice_conditions.standing(kind)
        if told == holding.keys():
            continue
        async with storage.writing() as unit:
            await unit.notice_conditions.end(told - holding.keys())
            for name in holding.keys() - told:
                added += await _begin(unit, kind, holding[name])
    return added


async def _holding(unit: Unit, kind: EventKind, default_pico: int) -> Mapping[str, _Condition]:
    if kind is EventKind.BALANCE_LOW:
        found = await _low_balances(unit, default_pico)
    else:
        found = await _reached_caps(unit)
    by_all = await unit.webhooks.is_heard(kind, None)
    return {one.name: one for one in found if by_all or await unit.webhooks.is_heard(kind, one.user_id)}


async def _begin(unit: Unit, kind: EventKind, condition: _Condition) -> int:
    if not await unit.notice_conditions.begin(condition.name, kind, unit.clock.now_us()):
        return 0
    once = condition.once or condition.name
    return await webhook_events.enqueue(unit, kind, condition.data, user_id=condition.user_id, once=once)


async def _low_balances(unit: Unit, default_pico: int) -> list[_Condition]:
    if not default_pico:
        return []
    # A balance that goes up and down around the threshold is told once a day.
    day = date_of(unit.clock.now_us() // DAY_US).isoformat()
    found = []
    for low in await unit.notice_conditions.low_balances(default_pico, with_members=False):
        data = {"balance_usd": format_usd(low.posted_pico), "threshold_usd": format_usd(default_pico)}
        name = f"{EventKind.BALANCE_LOW}:{low.user_id}:{default_pico}"
        found.append(_Condition(name, data, low.user_id, f"{low.user_id}:{default_pico}:{day}"))
    return found


async def _reached_caps(unit: Unit) -> list[_Condition]:
    today = (await unit.instance.calendar()).at(unit.clock.now_us())
    found = []
    for key_id in await unit.notice_conditions.spent_keys(with_members=False):
        key = await unit.keys.get(key_id)
        cap_pico, period = key.limits.cap_pico, key.limits.cap_period
        if cap_pico and (await unit.keys.spend(key_id)).of(period) >= cap_pico - cap_pico // CAP_PART:
            found.append(_reached_cap(today, key))
    return found


def _reached_cap(today: Today, key: Key) -> _Condition:
    cap_pico, period = key.limits.cap_pico or 0, key.limits.cap_period
    began_us = today.start_us(period)
    data = {
        **webhook_events.of_key(key),
        "cap_usd": format_usd(cap_pico),
        "period": period,
        "period_began_at": None if period == "total" else format_instant(began_us),
    }
    name = f"{EventKind.CAP_REACHED}:{key.public_id}:{cap_pico}:{period}:{began_us}"
    return _Condition(name, {field: value for field, value in data.items() if value is not None}, key.user_id)


async def note_providers(unit: Unit) -> int:
    """Adds events for providers that began to fail, or answer again, in the transaction of a report about targets.

    A provider fails while a breaker of any of its models is not closed in any process that reported lately. Returns how
    many deliveries were added.
    """
    kind = EventKind.PROVIDER_FAILING
    told = await unit.notice_conditions.standing(kind)
    if not told and not await unit.webhooks.is_heard(kind, None):
        return 0
    failing = await _failing_providers(unit)
    now_us, added = unit.clock.now_us(), 0
    for name, data in failing.items():
        if name not in told and await unit.notice_conditions.begin(name, kind, now_us):
            added += await webhook_events.enqueue(unit, kind, data)
    ended = told - failing.keys()
    await unit.notice_conditions.end(ended)
    for name in sorted(ended):
        provider = await unit.providers.find(name.partition(":")[2])
        if provider is not None:
            data = {"provider": provider.public_id, "provider_name": provider.name}
            added += await webhook_events.enqueue(unit, EventKind.PROVIDER_RECOVERED, data)
    return added


async def _failing_providers(unit: Unit) -> Mapping[str, Mapping[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    now_us = unit.clock.now_us()
    for reported in await unit.routes.reported():
        stats = reported.stats
        if not stats.breaker.open_until_us or now_us - reported.reported_at_us >= _FRESH_US:
            continue
        model = await unit.models.get(reported.model_id)
        provider = await unit.providers.get(model.provider_id)
        data = found.setdefault(
            f"{EventKind.PROVIDER_FAILING}:{provider.public_id}",
            {"provider": provider.public_id, "provider_name": provider.name, "models": []},
        )
        if model.name not in data["models"]:
            data["models"].append(model.name)
        if stats.last_error is not None:
            data["error"] = stats.last_error
    return found
