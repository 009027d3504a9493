"""The operations on the caps of keys and users, and on the limits a minute of keys for patterns of models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from softix_proxy.domain.access.keys import Key, ModelRate
from softix_proxy.domain.access.users import User
from softix_proxy.domain.core.calendar import Calendar
from softix_proxy.domain.core.clock import PERIODS, CapPeriod, format_instant
from softix_proxy.domain.core.errors import BadInputError, ConflictError
from softix_proxy.domain.core.money import MAX_PICO, format_usd
from softix_proxy.domain.metering.budgets import parse_alerts, reached
from softix_proxy.domain.metering.caps import MOST_CAPS, Cap, CapAlert, CapState
from softix_proxy.domain.metering.usage_tags import checked
from softix_proxy.domain.ports.storage import Unit
from softix_proxy.operations.access.key_checks import checked_limits, checked_models
from softix_proxy.operations.access.limit_terms import UNCHANGED, AskedTerms, changed_terms, terms_fields

_MOST_RATES = 20


@dataclass(frozen=True, slots=True)
class AskedLimits:
    """What is to become of the limits of a key or a user. What is not named stays as it is."""

    models: str = ""
    """The pattern of the models that are limited. An empty one means all of them."""
    amounts: Mapping[CapPeriod, int | None] = field(default_factory=dict)
    """The cap of each period. None removes it."""
    terms: AskedTerms = UNCHANGED
    rates: Mapping[str, Any] = field(default_factory=dict)
    """The limits a minute by their names: `rpm`, `tpm` and `concurrency`. None removes one."""
    tag: str = ""
    """The tag of the requests that are limited. An empty one means all of them."""
    end_users: bool = False
    """Whether each end user is limited apart."""

    @property
    def part(self) -> tuple[str, str, bool]:
        """What a cap is of, beside its key or user and its period."""
        return self.models, self.tag, self.end_users

    @property
    def is_of_all(self) -> bool:
        return self.part == ("", "", False)

    @property
    def is_empty(self) -> bool:
        return not self.amounts and not self.rates and self.terms == UNCHANGED


@dataclass(frozen=True, slots=True)
class CapStanding:
    """A cap, and how much of it is left in the present period."""

    cap: Cap
    spent_pico: int
    in_force_pico: int
    """The amount that holds now: that of the cap, or what it is raised to."""
    began_at_us: int
    ends_at_us: int | None
    """The instant at which the next period begins. None if there is none."""

    @property
    def left_pico(self) -> int:
        return max(self.in_force_pico - self.spent_pico - self.cap.held_pico, 0)

    @property
    def percent(self) -> int:
        """The part that is spent, in whole percent. A cap of nothing is used up."""
        return self.spent_pico * 100 // self.in_force_pico if self.in_force_pico else 100


class CapCount(NamedTuple):
    """What was counted of a cap's rows before the write lock was taken, so that nobody waits for it."""

    start_us: int
    before_number: int
    spent_pico: int
    by_end_user: Mapping[str, int]
    """The same for each end user, if the cap limits each of them."""


CapCounts = Mapping[CapPeriod, CapCount]


class _Change(NamedTuple):
    """A cap as it is to be, and as it is. The first is None if it is to be removed."""

    cap: Cap | None
    existing: Cap | None

    @property
    def needs_count(self) -> bool:
        return self.cap is not None and (self.existing is None or self.cap.rule != self.existing.rule)


def _require_valid(asked: AskedLimits) -> None:
    """Raises BadInputError for what no cap can have."""
    if asked.tag:
        checked([asked.tag])
    if asked.rates and (asked.tag or asked.end_users):
        raise BadInputError("a tag or an end user has no limit a minute", "leave out --rpm, --tpm and --concurrency")
    if asked.end_users and asked.terms.alerts not in (None, "none"):
        raise BadInputError("nobody is told how much an end user has spent", "leave out --alert")


async def set_in(unit: Unit, key: Key, asked: AskedLimits, counts: CapCounts | None = None) -> Key:
    """Changes the limits of a key in the caller's transaction. Returns it as it is then.

    `counts` is what was counted for new caps before. None says that the key is new, and has spent nothing.
    """
    _require_valid(asked)
    await checked_models(unit, [asked.models] if asked.models else [])
    changes = await changes_of(unit, key.user_id, key, asked)
    await _apply(unit, changes, counts)
    limits = key.limits
    if limits.cap_period in asked.amounts and asked.is_of_all:
        limits = replace(limits, cap_pico=None)
    if asked.rates and asked.models:
        limits = replace(limits, model_rates=_changed_rates(limits.model_rates, asked))
    elif asked.rates:
        limits = replace(limits, **asked.rates)
    changed = replace(key, limits=checked_limits(limits))
    if changed != key:
        await unit.keys.update(changed)
    return changed


async def set_of_user_in(unit: Unit, user: User, asked: AskedLimits, counts: CapCounts | None = None) -> None:
    """Changes what all keys of a user together may spend, in the caller's transaction. `counts` is as for `set_in`."""
    _require_valid(asked)
    await checked_models(unit, [asked.models] if asked.models else [])
    await _apply(unit, await changes_of(unit, user.id, None, asked), counts)


async def of_key(unit: Unit, key: Key) -> Sequence[CapStanding]:
    """Returns the caps of a key, those of all models first."""
    return await standings(unit, await unit.caps.list(key.user_id, key.id))


async def of_user(unit: Unit, user_id: int) -> Sequence[CapStanding]:
    """Returns the caps of all keys of a user together, those of all models first."""
    return await standings(unit, await unit.caps.list(user_id, None))


async def standings(unit: Unit, found: Sequence[Cap]) -> Sequence[CapStanding]:
    by, now_us = await unit.instance.calendar(), unit.clock.now_us()
    today, listed = by.at(now_us), []
    for cap in sorted(found, key=lambda cap: (cap.models, cap.tag, cap.end_users, PERIODS.index(cap.period))):
        state = cap.state_at(now_us, by)
        if cap.end_users:
            state, cap = await _of_who_spent_most(unit, cap, state, now_us, by)
        listed.append(
            CapStanding(cap, state.spent_in(today), state.amount_pico, state.start_us(today), state.end_us(today))
        )
    return listed


async def _of_who_spent_most(unit: Unit, cap: Cap, state: CapState, now_us: int, by: Calendar) -> tuple[CapState, Cap]:
    """Returns the state of the end user who has spent most in the present period, and the cap with what is held."""
    states = [state.for_end_user(*each) for each in await unit.caps.of_end_users(cap.id)] or [state]
    for each in states:
        each.begin(now_us, by)
    most = max(states, key=lambda each: (each.spent_in(by.at(now_us)), each.held_pico))
    return most, replace(cap, held_pico=most.held_pico)


def as_fields(standing: CapStanding) -> dict[str, Any]:
    """Returns the fields as the CLI shows them. Amounts are decimal text in USD."""
    cap = standing.cap
    return {
        "model": cap.models or None,
        "tag": cap.tag or None,
        "each_end_user": cap.end_users,
        "period": cap.period,
        "amount": format_usd(cap.amount_pico),
        "spent": format_usd(standing.spent_pico),
        "held": format_usd(cap.held_pico),
        "left": format_usd(standing.left_pico),
        "ends_at": format_instant(standing.ends_at_us),
        **terms_fields(cap, is_raised=standing.in_force_pico > cap.amount_pico),
    }


async def changes_of(unit: Unit, user_id: int, key: Key | None, asked: AskedLimits) -> Sequence[_Change]:
    """Returns what becomes of each cap that is named. Raises BadInputError."""
    now_us, zone = unit.clock.now_us(), (await unit.instance.calendar()).name
    found = await unit.caps.list(user_id, None if key is None else key.id)
    existing = {cap.period: cap for cap in found if (cap.models, cap.tag, cap.end_users) == asked.part}
    periods = tuple(asked.amounts) or (() if asked.terms == UNCHANGED else tuple(existing))
    if not periods and asked.terms != UNCHANGED:
        raise BadInputError("there is no such limit that could be changed", "set one first, such as --spend-day 5.00")
    changes = []
    for period in periods:
        amount_pico = asked.amounts.get(period)
        old = existing.get(period)
        if period in asked.amounts and amount_pico is None:
            changes.append(_Change(None, old))
            continue
        if amount_pico is not None and not 0 <= amount_pico <= MAX_PICO:
            raise BadInputError("a cap is not negative", "0 lets nothing through; write none for no cap")
        new = Cap(
            id=0,
            user_id=user_id,
            key_id=None if key is None else key.id,
            models=asked.models,
            period=period,
            amount_pico=amount_pico or 0,
            created_at_us=now_us,
            tag=asked.tag,
            end_users=asked.end_users,
        )
        plain = old or _plain(new, key)
        changes.append(_Change(changed_terms(new, plain, amount_pico, asked.terms, now_us, zone), old))
    added = sum(change.existing is None and change.cap is not None for change in changes)
    if added and len(found) + added > MOST_CAPS:
        raise ConflictError(f"there are {MOST_CAPS} caps already", "remove those that nobody needs")
    return changes


def _plain(new: Cap, key: Key | None) -> Cap | None:
    """Returns the cap of that period in the columns of the key, which becomes one of these."""
    is_part = new.models or new.tag or new.end_users
    if key is None or is_part or key.limits.cap_pico is None or key.limits.cap_period != new.period:
        return None
    return replace(new, amount_pico=key.limits.cap_pico)


async def _apply(unit: Unit, changes: Sequence[_Change], counts: CapCounts | None) -> None:
    for cap, existing in changes:
        if cap is None:
            if existing is not None:
                await unit.caps.remove(existing.id)
            continue
        if cap.end_users:
            await _apply_to_end_users(unit, cap, existing, counts)
            continue
        if existing is None:
            spent_pico = 0 if counts is None else await _spent(unit, cap, counts.get(cap.period))
            stored = await unit.caps.add(replace(cap, spent_at_us=unit.clock.now_us(), spent_pico=spent_pico))
        else:
            await unit.caps.set_terms(cap)
            if cap.rule != existing.rule:
                await unit.caps.set_spent(existing.id, await _spent(unit, cap, (counts or {}).get(cap.period)))
            stored = await unit.caps.get(existing.id)
        await _note_reached(unit, stored)


async def _apply_to_end_users(unit: Unit, cap: Cap, existing: Cap | None, counts: CapCounts | None) -> None:
    if existing is None:
        stored = await unit.caps.add(replace(cap, alerts=""))
    else:
        stored = existing
        await unit.caps.set_terms(replace(cap, alerts=""))
    if (existing is None and counts is not None) or (existing is not None and cap.rule != existing.rule):
        by_end_user = await _spent_by_end_user(unit, cap, (counts or {}).get(cap.period))
        await unit.caps.set_spent_by_end_user(stored.id, by_end_user)


async def _note_reached(unit: Unit, cap: Cap) -> None:
    """Notes the parts that a new amount has reached already."""
    [standing] = await standings(unit, [cap])
    for percent in reached(standing.spent_pico, standing.in_force_pico, parse_alerts(cap.alerts)):
        await unit.caps.note(CapAlert(cap.id, standing.began_at_us, percent, unit.clock.now_us()))


async def counts_of(unit: Unit, changes: Sequence[_Change]) -> CapCounts:
    counts = {}
    for change in changes:
        if change.cap is not None and change.needs_count:
            span = change.cap.rule.span(unit.clock.now_us(), await unit.instance.calendar())
            before_number = max(await unit.ledger.last_posted() + 1, span.start_us)
            rows = change.cap, span, span.start_us, before_number
            is_apart = change.cap.end_users
            spent_pico = 0 if is_apart else await unit.caps.counted(*rows)
            by_end_user = await unit.caps.counted_by_end_user(*rows) if is_apart else {}
            counts[change.cap.period] = CapCount(span.start_us, before_number, spent_pico, by_end_user)
    return counts


async def _spent(unit: Unit, cap: Cap, count: CapCount | None) -> int:
    """Returns what is spent in the present period: what was counted, and what was posted since."""
    span = cap.rule.span(unit.clock.now_us(), await unit.instance.calendar())
    if count is None or span.start_us != count.start_us:  # nothing was counted, or the next period has begun meanwhile
        return await unit.caps.counted(cap, span, span.start_us, MAX_PICO)
    return count.spent_pico + await unit.caps.counted(cap, span, count.before_number, MAX_PICO)


async def _spent_by_end_user(unit: Unit, cap: Cap, count: CapCount | None) -> Mapping[str, int]:
    """Returns the same for each end user."""
    span = cap.rule.span(unit.clock.now_us(), await unit.instance.calendar())
    if count is None or span.start_us != count.start_us:
        return await unit.caps.counted_by_end_user(cap, span, span.start_us, MAX_PICO)
    since = await unit.caps.counted_by_end_user(cap, span, count.before_number, MAX_PICO)
    names = {*count.by_end_user, *since}
    return {name: count.by_end_user.get(name, 0) + since.get(name, 0) for name in names}


def _changed_rates(rates: Sequence[ModelRate], asked: AskedLimits) -> tuple[ModelRate, ...]:
    """Returns the limits a minute with those that are asked for. Raises BadInputError."""
    if "concurrency" in asked.rates:
        raise BadInputError("the limit of concurrent requests is of all models", "leave out --model, or --concurrency")
    old = next((rate for rate in rates if rate.models == asked.models), ModelRate(asked.models, None, None))
    new = old._replace(**asked.rates)
    kept = tuple(rate for rate in rates if rate.models != asked.models)
    if new.rpm is None and new.tpm is None:
        return kept
    if len(kept) >= _MOST_RATES:
        raise ConflictError(f"a key has limits for at most {_MOST_RATES} patterns", "remove one of them")
    return tuple(sorted((*kept, new), key=lambda rate: rate.models))
