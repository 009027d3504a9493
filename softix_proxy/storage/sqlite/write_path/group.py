"""Handles one group of admissions and settlements in one transaction: it loads states, decides, and writes back.

It runs on the writer's thread inside its transaction. `domain.metering.admission` decides. This module only loads and
saves the states. Settlements come first, so that the amounts that they release can be admitted in the same group.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from softix_proxy.domain.access.limits import adjust
from softix_proxy.domain.access.objects import AccountPlace, Unresolved, pin
from softix_proxy.domain.core.calendar import Calendar, calendar
from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.metering.admission import (
    Admitted,
    Allowance,
    Decision,
    Denied,
    Intent,
    KeyState,
    RateCheck,
    Stale,
    WalletState,
    close,
    count,
    decide,
    payable_pico,
)
from softix_proxy.domain.metering.batches import PARKED_SLOT
from softix_proxy.domain.metering.bounds import WHOLE_MODEL, ExceededBound, exceeded
from softix_proxy.domain.metering.budgets import BudgetAlert, BudgetState, parse_alerts
from softix_proxy.domain.metering.caps import CapAlert, CapState
from softix_proxy.domain.metering.settlement import Orphan, Settled, Settlement, limited
from softix_proxy.storage.sqlite.core.engine import SqliteConnection
from softix_proxy.storage.sqlite.core.numbering import NEXT_NUMBER, is_far_ahead
from softix_proxy.storage.sqlite.write_path import object_statements as objects
from softix_proxy.storage.sqlite.write_path import statements as sql
from softix_proxy.storage.sqlite.write_path.limits_of_group import LimitsOfGroup

_WALLET_COLUMNS = len(sql.WALLET_STATE)
_decode = msgspec.json.Decoder().decode
_NONE: Sequence[BudgetState] = ()


class CommitGroup:
    """The states that one transaction works on. They are loaded once and written back once."""

    def __init__(self, connection: SqliteConnection, slot: int, now_us: int) -> None:
        self._connection = connection
        self._slot = slot
        self._now_us = now_us
        self._wallets: dict[int, WalletState] = {}
        self._keys: dict[int, KeyState] = {}
        self._budgets: dict[int, BudgetState] = {}
        self._budgets_of: dict[int, list[BudgetState]] = {}
        """The budgets by key. A key without a budget is not in it."""
        self._alerts: list[BudgetAlert] = []
        self._limits = LimitsOfGroup(connection, now_us)
        self._open: dict[int, tuple[int, int, Sequence[int] | None]] = {}
        """The open requests: id → (the hold in pico-USD, the slot, the caps that have the hold)."""
        self._exceeded: list[ExceededBound] = []
        self._revision = self._last_posted = 0
        self._calendar = calendar("UTC")
        self._today = self._calendar.at(now_us)

    def load(self, intents: Sequence[Intent], checks: Sequence[RateCheck] = ()) -> None:
        ids = _listed(intent.request_id for intent in intents)
        owners: list[Intent | RateCheck] = [*intents, *checks]
        pairs = ",".join({f"[{owner.user_id},{owner.key_id}]" for owner in owners})
        asked = f"[{pairs}]"
        [found] = self._connection.execute(sql.STATES, (ids, asked, asked, asked)).fetchone()
        self._revision, self._last_posted, zone, holds, budgets, caps, states = _decode(found)
        self._open = dict(holds)
        if zone is not None:
            self._calendar = calendar(zone)
            self._today = self._calendar.at(self._now_us)
        for user_id, key_id, *columns in states:
            if columns[0] is not None and user_id not in self._wallets:
                self._wallets[user_id] = WalletState(*columns[:_WALLET_COLUMNS])
            state = columns[_WALLET_COLUMNS:]
            key = self._keys[key_id] = KeyState() if state[0] is None else KeyState(*state)
            key.come_back(self._now_us)
        if budgets:
            self._load_budgets(budgets)
        if caps:
            self._limits.load_caps(caps, intents, self._calendar)
        if any(intent.limits.model_rates for intent in intents):
            self._limits.load_rates(intents)

    def _load_budgets(self, rows: Iterable[Sequence[Any]]) -> None:
        for key_id, *columns in rows:
            state = BudgetState(*columns)
            budget = self._budgets.get(state.id)
            if budget is None:
                budget = self._budgets[state.id] = state
                budget.begin(self._now_us, self._calendar)
            self._budgets_of.setdefault(key_id, []).append(budget)

    def save(self) -> None:
        self._write(sql.SAVE_WALLETS, [(user_id, w.posted_pico, w.held_pico) for user_id, w in self._wallets.items()])
        self._write(
            sql.SAVE_KEY_STATES,
            [(key_id, *sql.KEY.values(key)) for key_id, key in self._keys.items()],
        )
        if self._budgets:
            rows = [(b.id, b.held_pico, b.spent_at_us, b.spent_pico) for b in self._budgets.values()]
            self._write(sql.SAVE_BUDGETS, rows)
        if self._alerts:
            self._write(sql.ADD_ALERTS, [sql.ALERT.values(alert) for alert in self._alerts])
        for statement, values in self._limits.rows():
            self._write(statement, values)

    def _write(self, statement: sql.BulkStatement, rows: Sequence[Sequence[object]]) -> None:
        for start in range(0, len(rows), sql.MOST_ROWS):
            some = rows[start : start + sql.MOST_ROWS]
            self._connection.execute(sql.of(statement, len(some)), [value for row in some for value in row])

    def admit(self, intents: Sequence[Intent]) -> list[Decision]:
        if not intents:
            return []
        decisions: list[Decision] = []
        rows = []
        for intent in intents:
            if intent.revision != self._revision:
                decisions.append(Stale())
                continue
            place = self._place_of(intent) if intent.refs else None
            if isinstance(place, Unresolved):
                decisions.append(Denied(place.code, about=place.kind))
                continue
            wallet, key = self._wallets[intent.user_id], self._keys[intent.key_id]
            budgets, caps = self._budgets_of.get(intent.key_id, _NONE), self._limits.caps_of(intent)
            if caps:
                budgets = [*budgets, *caps]
            rates = self._limits.rates_of(intent)
            decision = decide(intent, wallet, key, self._now_us, self._today, budgets, rates)
            if isinstance(decision, Admitted):
                if place is not None:
                    decision, intent = replace(decision, place=place), intent.at(place)
                cap_ids = [cap.id for cap in caps] if caps else None
                self._open[intent.request_id] = decision.hold_pico, self._slot, cap_ids
                listed = _listed(cap_ids) if cap_ids else None
                terms = self._slot, decision.hold_pico, decision.widened_pico or None, listed
                rows.append((*terms, *sql.INTENT.values(intent)))
            elif decision.code in (Code.BUDGET_REACHED, Code.CAP_REACHED):
                self._note_used_up(budgets, decision.needed_pico)
            decisions.append(decision)
        self._write(sql.ADD_INTENTS, rows)
        return decisions

    def count(self, checks: Sequence[RateCheck]) -> list[Allowance | Denied]:
        """Counts requests that cost nothing against the rates of their keys."""
        return [count(check, self._keys[check.key_id], self._now_us) for check in checks]

    def _place_of(self, intent: Intent) -> AccountPlace | Unresolved:
        found = objects.resolved(self._connection.execute(*objects.resolving(intent.user_id, intent.refs)))
        return pin(intent.refs, found, [each.place for each in intent.places])

    def settle(self, settlements: Sequence[Settlement]) -> list[Settled | None]:
        """Writes exactly one usage row for each open intent. An intent that is closed already is only looked up.

        None stands for a request that has neither an intent nor a row, because its admission was never committed.
        """
        if not settlements:
            return []
        ids = _listed(settlement.intent.request_id for settlement in settlements)
        closed = [(s, self._open.pop(s.intent.request_id, None)) for s in settlements]
        fresh = [s for s, found in closed if found is not None]
        parked = {s.intent.request_id for s, found in closed if found is not None and found[1] == PARKED_SLOT}
        caps_of = {s.intent.request_id: found[2] for s, found in closed if found is not None}
        if fresh:
            self._connection.execute(sql.CLOSE_INTENTS, (ids,))
        posted: dict[int, int] = {}
        charges: dict[int, int] = {}
        if len(fresh) < len(settlements):
            for request_id, usage_id, charge_pico in self._connection.execute(sql.ALREADY_SETTLED, (ids,)).fetchall():
                posted[request_id], charges[request_id] = usage_id, charge_pico
        next_id = self._next_number()
        for at, settlement in enumerate(fresh):
            request_id = settlement.intent.request_id
            if settlement.charge_pico > settlement.hold_pico:
                settlement = fresh[at] = self._exceed(settlement)
            posted[request_id], charges[request_id] = next_id + at, settlement.charge_pico
            self._close(settlement, posted[request_id], caps_of[request_id], parked=request_id in parked)
        self._widen()
        self._write(sql.ADD_USAGE, [_usage_row(posted[s.intent.request_id], s) for s in fresh])
        self._write(
            sql.ADD_USAGE_TAGS,
            [
                (posted[s.intent.request_id], s.intent.tags, s.intent.end_user)
                for s in fresh
                if s.intent.tags or s.intent.end_user
            ],
        )
        self._write(sql.ADD_ATTEMPTS, [row for s in fresh if s.failed for row in _attempt_rows(posted, s)])
        self._write(
            sql.ADD_CHARGES,
            [(posted[s.intent.request_id], s.intent.user_id, s.charge_pico) for s in fresh if s.charge_pico],
        )
        self._write(sql.ADD_DAILY, _daily(fresh, next_id, self._calendar))
        objects.record(self._connection, (each for s in fresh if s.objects for each in s.objects))
        return [self._settled(s.intent, posted, charges) for s in settlements]

    def _next_number(self) -> int:
        """Returns the first number for the usage rows and their charges."""
        if is_far_ahead(self._last_posted, self._now_us):
            return int(self._connection.execute(NEXT_NUMBER, (self._now_us,)).fetchone()[0])
        return max(self._last_posted + 1, self._now_us)

    def _settled(self, intent: Intent, posted: Mapping[int, int], charges: Mapping[int, int]) -> Settled | None:
        usage_id = posted.get(intent.request_id)
        if usage_id is None:
            return None
        wallet = self._wallets[intent.user_id]
        return Settled(usage_id, wallet.posted_pico - wallet.held_pico, charges[intent.request_id])

    def _exceed(self, settlement: Settlement) -> Settlement:
        """Notes a charge above its hold. Returns the settlement with as much of the charge as the wallet can pay."""
        intent, hold_pico, asked_pico = settlement.intent, settlement.hold_pico, settlement.charge_pico
        most_pico = payable_pico(self._wallets[intent.user_id], hold_pico, postpaid=settlement.postpaid)
        if asked_pico > most_pico:
            settlement = limited(settlement, most_pico)
        wider = exceeded(asked_pico, hold_pico, settlement.widened_pico)
        missing_pico, uncharged_pico = asked_pico - hold_pico, asked_pico - settlement.charge_pico
        self._exceeded += [
            ExceededBound(intent.model_id, member, wider, missing_pico, uncharged_pico, self._now_us, intent.request_id)
            for member in settlement.members or (WHOLE_MODEL,)
        ]
        return settlement

    def _widen(self) -> None:
        """Widens the bounds that were exceeded. The requests of this group are admitted by the wider ones already."""
        if self._exceeded:
            self._write(sql.WIDEN, [sql.WIDENED.values(one) for one in self._exceeded])
            self._exceeded.clear()
            self._revision = int(self._connection.execute(sql.REVISION).fetchone()[0])

    def _close(self, settlement: Settlement, number: int, cap_ids: Sequence[int] | None, *, parked: bool) -> None:
        intent = settlement.intent
        key = self._keys[intent.key_id]
        wallet, charge_pico = self._wallets[intent.user_id], settlement.charge_pico
        budgets = self._budgets_of.get(intent.key_id, _NONE)
        close(
            wallet,
            key,
            settlement.hold_pico,
            charge_pico,
            self._now_us,
            self._today,
            parked=parked,
            budgets=self._holders(budgets, cap_ids, intent),
        )
        if charge_pico:
            for budget in (*budgets, *self._limits.charged(intent)):
                self._spend(budget, charge_pico, number)
        if intent.limits.model_rates:
            self._limits.adjust_rates(intent, settlement.tokens_used)
        if intent.limits.tpm is not None:
            unforeseen = settlement.tokens_used - settlement.tokens_held
            key.tpm_tat_us = adjust(key.tpm_tat_us, self._now_us, intent.limits.tpm, unforeseen)

    def _holders(
        self, budgets: Sequence[BudgetState], cap_ids: Sequence[int] | None, intent: Intent
    ) -> Sequence[BudgetState]:
        """Returns the budgets and the caps that have the hold of a request."""
        return [*budgets, *self._limits.caps_with(cap_ids, intent.end_user)] if cap_ids else budgets

    def _spend(self, budget: BudgetState, charge_pico: int, number: int) -> None:
        for percent in budget.spend(charge_pico, number, self._calendar):
            self._note(budget, budget.start_at(number, self._calendar), percent)

    def _note(self, budget: BudgetState, start_us: int, percent: int) -> None:
        if isinstance(budget, CapState):
            self._limits.alerts.append(
                CapAlert(cap_id=budget.id, period_start_us=start_us, percent=percent, reached_at_us=self._now_us)
            )
        else:
            self._alerts.append(BudgetAlert(budget.id, start_us, percent, self._now_us))

    def _note_used_up(self, budgets: Iterable[BudgetState], needed_pico: int) -> None:
        """Notes the last alert of a budget whose rest is too small for a request."""
        for budget in budgets:
            percents = parse_alerts(budget.alerts)
            if percents and budget.is_used_up(needed_pico, self._today):
                self._note(budget, budget.start_us(self._today), percents[-1])

    def forget(self, intents: Sequence[Intent]) -> None:
        """Takes back admissions that nobody was told of, because the commit failed or seemed to fail."""
        for intent in intents:
            found = self._open.pop(intent.request_id, None)  # an intent may be taken back twice in a group
            if found is not None:
                self._connection.execute(sql.CLOSE_INTENTS, (_listed((intent.request_id,)),))
                wallet, key = self._wallets[intent.user_id], self._keys[intent.key_id]
                budgets = self._holders(self._budgets_of.get(intent.key_id, _NONE), found[2], intent)
                close(wallet, key, found[0], 0, self._now_us, self._today, budgets=budgets)


def _listed(numbers: Iterable[int]) -> str:
    """Returns the numbers as JSON. The encoder of `json` takes three times as long for so few."""
    return f"[{','.join(map(str, numbers))}]"


def open_intents(connection: SqliteConnection, slots: Iterable[int], limit: int) -> list[Orphan]:
    """Returns the intents of these processes that were never settled, with their holds. The oldest come first."""
    return sql.ORPHAN.read_all(connection.execute(sql.OPEN_INTENTS, (json.dumps(list(slots)), limit)))


def _usage_row(usage_id: int, settlement: Settlement) -> tuple[object, ...]:
    return usage_id, *sql.USAGE.values(settlement), *map(settlement.meters.get, sql.METER_COLUMNS)


def _attempt_rows(posted: Mapping[int, int], settlement: Settlement) -> Iterator[tuple[object, ...]]:
    intent = settlement.intent
    for sequence, attempt in enumerate(settlement.failed, 1):
        yield (
            posted[intent.request_id],
            sequence,
            intent.request_id,
            intent.user_id,
            json.dumps(attempt.meters),
            *sql.ATTEMPT.values(attempt),
        )


def _daily(settlements: Sequence[Settlement], posted_us: int, by: Calendar) -> list[tuple[int, ...]]:
    """Returns one row for each day of posting, key and model, with the group's sums."""
    sums: dict[tuple[int, int, int], sql.DailySum] = {}
    for number, settlement in enumerate(settlements, posted_us):
        intent = settlement.intent
        place = day, key_id, model_id = by.at(number).day, intent.key_id, intent.model_id
        one = sums.get(place)
        if one is None:
            one = sums[place] = sql.DailySum(
                day=day, key_id=key_id, model_id=model_id, user_id=intent.user_id, provider_id=intent.provider_id
            )
        one.requests += 1
        one.errors += settlement.error is not None
        one.input_tokens += settlement.input_tokens
        one.output_tokens += settlement.output_tokens
        one.cost_pico += settlement.cost_pico
        one.charge_pico += settlement.charge_pico
    return [sql.DAILY.values(one) for one in sums.values()]
