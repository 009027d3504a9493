"""The caps and the limits by model that one group of requests works on. They are loaded once and written back once.

A key without any of them pays nothing for them, except that the instance is asked whether there is a cap.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from softix_proxy.domain.core.calendar import Calendar
from softix_proxy.domain.metering.admission import Intent
from softix_proxy.domain.metering.caps import CapAlert, CapState, ModelName, stands_for
from softix_proxy.domain.metering.model_rates import ModelRateState, adjust
from softix_proxy.storage.sqlite.core.engine import SqliteConnection
from softix_proxy.storage.sqlite.write_path import statements as sql

_NO_CAPS: Sequence[CapState] = ()
_NO_RATES: Mapping[str, ModelRateState] = {}


class LimitsOfGroup:
    """The states of caps and of limits by model, as far as the requests of a group count in them."""

    def __init__(self, connection: SqliteConnection, now_us: int) -> None:
        self._connection = connection
        self._now_us = now_us
        self._caps: dict[int, CapState] = {}
        self._caps_of: dict[int, list[CapState]] = {}
        """The caps by key: its own, and those of its user."""
        self._end_users: dict[tuple[int, str], CapState] = {}
        """The states of caps for each end user, by cap and end user."""
        self._rates: dict[int, dict[str, ModelRateState]] = {}
        self._names: dict[int, ModelName] = {}
        self.alerts: list[CapAlert] = []

    def load_caps(self, rows: Iterable[Sequence[Any]], intents: Sequence[Intent], by: Calendar) -> None:
        for key_id, *columns in rows:
            state = CapState(*columns)
            cap = self._caps.get(state.id)
            if cap is None:
                cap = self._caps[state.id] = state
                cap.begin(self._now_us, by)
            self._caps_of.setdefault(key_id, []).append(cap)
        if any(cap.end_users for cap in self._caps.values()):
            self._load_end_users(intents, by)

    def _load_end_users(self, intents: Sequence[Intent], by: Calendar) -> None:
        pairs = {
            (cap.id, intent.end_user)
            for intent in intents
            if intent.end_user
            for cap in self._caps_of.get(intent.key_id, _NO_CAPS)
            if cap.end_users
        }
        for pair in pairs:
            self._end_users[pair] = self._caps[pair[0]].for_end_user(pair[1])
        asked = json.dumps([*pairs])
        for cap_id, end_user, *figures in self._connection.execute(sql.END_USERS, (asked,)).fetchall():
            self._end_users[cap_id, end_user] = self._caps[cap_id].for_end_user(end_user, *figures)
        for state in self._end_users.values():
            state.begin(self._now_us, by)

    def load_rates(self, intents: Sequence[Intent]) -> None:
        limited = [intent for intent in intents if intent.limits.model_rates]
        keys = json.dumps([intent.key_id for intent in limited])
        for key_id, models, *columns in self._connection.execute(sql.MODEL_RATES, (keys,)).fetchall():
            state = self._rates.setdefault(key_id, {})[models] = ModelRateState(*columns)
            state.come_back(self._now_us)
        for intent in limited:
            states = self._rates.setdefault(intent.key_id, {})
            for rate in intent.limits.model_rates:
                states.setdefault(rate.models, ModelRateState())

    def rows(self) -> Iterator[tuple[sql.BulkStatement, Sequence[Sequence[object]]]]:
        """Yields what is to be written."""
        if self._caps:
            caps = [cap for cap in self._caps.values() if not cap.end_users]
            yield sql.SAVE_CAPS, [(c.id, c.held_pico, c.spent_at_us, c.spent_pico) for c in caps]
        if self._end_users:
            yield (
                sql.SAVE_END_USERS,
                [(c.id, c.end_user, c.held_pico, c.spent_at_us, c.spent_pico) for c in self._end_users.values()],
            )
        if self.alerts:
            yield sql.ADD_CAP_ALERTS, [sql.CAP_ALERT.values(alert) for alert in self.alerts]
        if self._rates:
            yield (
                sql.SAVE_MODEL_RATES,
                [
                    (key_id, models, state.rpm_tat_us, state.tpm_tat_us)
                    for key_id, states in self._rates.items()
                    for models, state in states.items()
                ],
            )

    def caps_of(self, intent: Intent) -> Sequence[CapState]:
        """Returns the caps in which a request counts that any of these models may serve."""
        return self._caps_for(intent, (intent.model_id, *intent.other_models)) if self._caps else _NO_CAPS

    def charged(self, intent: Intent) -> Sequence[CapState]:
        """Returns the caps in which the charge of a request counts that this model has served."""
        return self._caps_for(intent, (intent.model_id,)) if self._caps else _NO_CAPS

    def _caps_for(self, intent: Intent, model_ids: Sequence[int]) -> Sequence[CapState]:
        caps = self._caps_of.get(intent.key_id, _NO_CAPS)
        if any(cap.tag or cap.end_users for cap in caps):
            caps = [
                self._end_users[cap.id, intent.end_user] if cap.end_users else cap
                for cap in caps
                if cap.is_of(intent.tags, intent.end_user)
            ]
        if not any(cap.models for cap in caps):
            return caps
        names = self._named(model_ids)
        return [cap for cap in caps if cap.counts(names)]

    def caps_with(self, cap_ids: Sequence[int], end_user: str) -> Sequence[CapState]:
        """Returns the caps of these numbers. One that was removed meanwhile has nothing to give back."""
        caps = [self._caps[cap_id] for cap_id in cap_ids if cap_id in self._caps]
        return [self._end_users[cap.id, end_user] if cap.end_users else cap for cap in caps]

    def rates_of(self, intent: Intent) -> Mapping[str, ModelRateState]:
        return self._rates.get(intent.key_id, _NO_RATES)

    def adjust_rates(self, intent: Intent, tokens_used: int) -> None:
        """Replaces the tokens that were set aside. If a model of no pattern has served the request, none were used."""
        names, states = self._named((intent.model_id,)), self.rates_of(intent)
        held = max(intent.tokens_bound, intent.tokens_estimate)
        for rate in intent.limits.model_rates:
            used = tokens_used if stands_for(rate.models, names) else 0
            adjust(rate, states[rate.models], held, used, self._now_us)

    def _named(self, model_ids: Sequence[int]) -> Sequence[ModelName]:
        unknown = [model_id for model_id in model_ids if model_id not in self._names]
        if unknown:
            for model_id, provider, model in self._connection.execute(
                sql.MODEL_NAMES, (json.dumps(unknown),)
            ).fetchall():
                self._names[model_id] = ModelName(provider, model)
        return [self._names[model_id] for model_id in model_ids if model_id in self._names]
