"""What operators do about abuse: see the rules and the alerts, take note, tune, and undo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from softix_proxy.domain.abuse.abuse import EVERY_KEY, AbuseAlert, TakenAction, Tuning
from softix_proxy.domain.abuse.rule import AbuseAction, AbuseRule, Thresholds
from softix_proxy.domain.abuse.rule_table import RULES, rule_named
from softix_proxy.domain.core.clock import format_instant
from softix_proxy.domain.core.errors import BadInputError, ConflictError, NotFoundError
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.operations.abuse import actions
from softix_proxy.operations.access import keys


@dataclass(frozen=True, slots=True)
class RuleInForce:
    """A rule as it is tuned for one key, or for every key."""

    rule: AbuseRule[Any]
    enabled: bool
    action: AbuseAction
    thresholds: Thresholds


@dataclass(frozen=True, slots=True)
class AlertDetails:
    alert: AbuseAlert
    actions: Sequence[TakenAction]


def in_force(rule: AbuseRule[Any], *tunings: Tuning | None) -> RuleInForce:
    """Returns the rule with these tunings. A later one counts before an earlier one."""
    found = RuleInForce(rule, True, rule.action, rule.defaults)
    for tuning in tunings:
        if tuning is not None:
            known = {name: value for name, value in tuning.thresholds.items() if name in rule.defaults}
            found = RuleInForce(
                rule,
                found.enabled if tuning.enabled is None else tuning.enabled,
                tuning.action or found.action,
                {**found.thresholds, **known},
            )
    return found


async def rules(storage: Storage, key: str | None = None) -> Sequence[RuleInForce]:
    """Returns all rules as they are tuned, for every key or for one. Raises NotFoundError."""
    unit = storage.reading()
    for_all = await unit.abuse.tunings(EVERY_KEY)
    for_key = {} if key is None else await unit.abuse.tunings((await keys.find(unit, key)).id)
    return [in_force(rule, for_all.get(name), for_key.get(name)) for name, rule in RULES.items()]


async def list_all(
    storage: Storage, *, limit: int, only_open: bool = False, before: str | None = None
) -> Sequence[AbuseAlert]:
    """Returns alerts, the newest first: those before the one of this id, if one is given. Raises NotFoundError."""
    unit = storage.reading()
    before_id = (await _find(unit, before)).id if before else None
    return await unit.abuse.list(limit=limit, only_open=only_open, before_id=before_id)


async def show(storage: Storage, public_id: str) -> AlertDetails:
    """Returns the alert, and what was done about it. Raises NotFoundError."""
    unit = storage.reading()
    alert = await _find(unit, public_id)
    return AlertDetails(alert, await unit.abuse.actions(alert.id))


async def acknowledge(storage: Storage, public_id: str) -> AbuseAlert:
    """Takes note of an alert, so that it is open no more. A second time changes nothing. Raises NotFoundError."""
    async with storage.writing() as unit:
        alert = await _find(unit, public_id)
        await unit.abuse.acknowledge(alert.id, unit.clock.now_us())
        return await _find(unit, public_id)


async def undo(storage: Storage, public_id: str) -> AlertDetails:
    """Undoes what was done about an alert. Raises NotFoundError, and ConflictError if nothing is left to undo."""
    async with storage.writing() as unit:
        alert = await _find(unit, public_id)
        standing = [action for action in await unit.abuse.actions(alert.id) if action.undone_us is None]
        if not standing:
            raise ConflictError("nothing is to be undone about this alert", f"see: softix abuse show {public_id}")
        for action in standing:
            await actions.undo(unit, action)
        return AlertDetails(alert, await unit.abuse.actions(alert.id))


async def tune(
    storage: Storage,
    name: str,
    *,
    key: str | None = None,
    enabled: bool | None = None,
    action: AbuseAction | None = None,
    thresholds: Mapping[str, int] | None = None,
    reset: bool = False,
) -> RuleInForce:
    """Changes a rule for every key, or for one. With `reset` what was tuned there is forgotten first.

    Raises NotFoundError, and BadInputError for what the rule does not have.
    """
    rule = rule_named(name)
    if action is not None and action not in rule.actions:
        possible = ", ".join(each for each in AbuseAction if each in rule.actions)
        raise BadInputError(f"the rule {name} cannot {action.value}", f"it can: {possible}")
    checked = rule.checked(thresholds or {})
    async with storage.writing() as unit:
        key_id = EVERY_KEY if key is None else (await keys.find(unit, key)).id
        if reset:
            await unit.abuse.reset(name, key_id)
        old = (await unit.abuse.tunings(key_id)).get(name, Tuning(rule=name, key_id=key_id))
        new = replace(
            old,
            enabled=old.enabled if enabled is None else enabled,
            action=action or old.action,
            thresholds={**old.thresholds, **checked},
        )
        if new != Tuning(rule=name, key_id=key_id):
            await unit.abuse.tune(new)
        for_all = (await unit.abuse.tunings(EVERY_KEY)).get(name)
        return in_force(rule, for_all, new if key_id else None)


async def _find(unit: Unit, public_id: str) -> AbuseAlert:
    alert = await unit.abuse.find(public_id)
    if alert is None:
        raise NotFoundError(f"no alert has the id {public_id!r}", "see: softix abuse list")
    return alert


def rule_fields(found: RuleInForce) -> dict[str, Any]:
    """Returns a rule as the CLI and the API show it."""
    rule = found.rule
    return {
        "rule": rule.name,
        "enabled": found.enabled,
        "action": found.action.value,
        "notices": rule.summary,
        "blind_to": rule.blind_to,
        "thresholds": [
            {"name": each.name, "value": found.thresholds[each.name], "unit": each.unit} for each in rule.thresholds
        ],
    }


def alert_fields(alert: AbuseAlert) -> dict[str, Any]:
    return {
        "id": alert.public_id,
        "rule": alert.rule,
        "subject": alert.subject,
        "text": alert.text,
        "first_at": format_instant(alert.first_us),
        "last_at": format_instant(alert.last_us),
        "acknowledged_at": format_instant(alert.acked_us),
    }


def details_fields(details: AlertDetails) -> dict[str, Any]:
    taken = [
        {
            "id": action.public_id,
            "action": action.action.value,
            "at": format_instant(action.began_us),
            "until": format_instant(action.until_us),
            "undone_at": format_instant(action.undone_us),
        }
        for action in details.actions
    ]
    figures = [{"name": name, "value": value} for name, value in details.alert.figures.items()]
    return {**alert_fields(details.alert), "figures": figures, "actions": taken}
