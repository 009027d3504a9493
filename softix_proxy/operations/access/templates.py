"""The operations on templates, and what a new key or user gets of one."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from softix_proxy.domain.access.keys import Key, KeyLimits
from softix_proxy.domain.access.templates import (
    WHOLE_INSTANCE,
    LimitTemplate,
    TemplateCap,
    TemplateDefault,
    TemplateKind,
    TemplatePart,
)
from softix_proxy.domain.access.users import User
from softix_proxy.domain.core.clock import PERIODS, CapPeriod
from softix_proxy.domain.core.errors import BadInputError, ConflictError, NotFoundError
from softix_proxy.domain.core.money import format_usd
from softix_proxy.domain.metering.caps import Cap
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.operations.access import caps
from softix_proxy.operations.access.caps import AskedLimits
from softix_proxy.operations.access.key_checks import checked_models
from softix_proxy.operations.access.limit_terms import NONE, AskedTerms, changed_terms

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_MOST_PARTS = 20
_RATES = ("rpm", "tpm", "concurrency")


@dataclass(frozen=True, slots=True)
class Explicit:
    """What a person gave for a new key, so that no template gives it."""

    rates: Collection[str] = ()
    """The names of the limits a minute and at once that were given."""
    periods: Collection[CapPeriod] = ()
    """The periods for which a cap was given."""

    def with_limits(self, limits: KeyLimits) -> Explicit:
        """Returns it with the limits that are set in these."""
        rates = {name for name in _RATES if getattr(limits, name) is not None}
        periods = set[CapPeriod]() if limits.cap_pico is None else {limits.cap_period}
        return Explicit({*self.rates, *rates}, {*self.periods, *periods})


@dataclass(frozen=True, slots=True)
class ListedTemplate:
    """A template, and where it is the default."""

    template: LimitTemplate
    is_default: bool
    default_of: Sequence[str]
    """The public ids of the organisations of which it is the default."""


async def set_to(
    storage: Storage,
    name: str,
    asked: AskedLimits,
    *,
    kind: TemplateKind | None = None,
    is_default: bool | None = None,
    organisation: User | None = None,
) -> ListedTemplate:
    """Makes a template, or changes it. No key and no user that there is changes with it.

    Raises BadInputError, NotFoundError, ConflictError.
    """
    async with storage.writing() as unit:
        found = await unit.templates.find(name)
        if found is None:
            new = LimitTemplate(0, _checked_name(name), kind or "key", (), unit.clock.now_us())
            found = await unit.templates.add(new)
        elif kind is not None and kind != found.kind:
            raise ConflictError(f"{name!r} is a template for a {found.kind}", "choose another name")
        parts = await _changed(unit, found, asked)
        await unit.templates.set_parts(found.id, parts)
        if organisation is not None and found.kind == "user":
            raise BadInputError(
                "an organisation is a user itself, and gets the default of the instance", "leave it out"
            )
        if is_default is not None:
            place = WHOLE_INSTANCE if organisation is None else organisation.id
            default = TemplateDefault(found.id, found.kind, place)
            await (unit.templates.set_default(default) if is_default else unit.templates.clear_default(default))
        return await _listed(unit, replace(found, parts=parts))


async def list_all(storage: Storage) -> Sequence[ListedTemplate]:
    async with storage.snapshot() as unit:
        return [await _listed(unit, template) for template in await unit.templates.list()]


async def show(storage: Storage, name: str) -> ListedTemplate:
    """Returns one template. Raises NotFoundError."""
    async with storage.snapshot() as unit:
        return await _listed(unit, await find(unit, name))


async def delete(storage: Storage, name: str) -> ListedTemplate:
    """Deletes a template. What was made with it keeps its limits. Raises NotFoundError."""
    async with storage.writing() as unit:
        listed = await _listed(unit, await find(unit, name))
        await unit.templates.remove(listed.template.id)
        return listed


async def find(unit: Unit, name: str) -> LimitTemplate:
    """Returns the template of this name. Raises NotFoundError."""
    found = await unit.templates.find(name)
    if found is None:
        raise NotFoundError(f"no template {name!r}", "see: softix templates list")
    return found


async def apply_to_key(unit: Unit, key: Key, name: str | None, explicit: Explicit) -> Key:
    """Gives a new key the limits of a template, in the caller's transaction. Returns it as it is then.

    Without a name, it is the default of the key's organisation. The word `none` means no template. What `explicit`
    names is not changed. Raises NotFoundError, BadInputError.
    """
    template = await _chosen(unit, "key", key.user_id, name)
    for part in () if template is None else template.parts:
        for asked in _asked(part, explicit if not part.models else Explicit()):
            key = await caps.set_in(unit, key, asked)
    return key


async def apply_to_user(unit: Unit, user: User, name: str | None = None) -> None:
    """Gives a new user the caps of a template, as `apply_to_key` does."""
    template = await _chosen(unit, "user", user.id, name)
    for part in () if template is None else template.parts:
        for asked in _asked(part, Explicit(_RATES)):
            await caps.set_of_user_in(unit, user, asked)


def as_fields(listed: ListedTemplate) -> dict[str, Any]:
    """Returns the fields as the CLI shows them. Amounts are decimal text in USD."""
    template = listed.template
    return {
        "name": template.name,
        "for": template.kind,
        "default": listed.is_default,
        "default_of": list(listed.default_of),
        "limits": [
            {
                "model": part.models or None,
                "rpm": part.rpm,
                "tpm": part.tpm,
                "concurrency": part.concurrency,
                "spend": [
                    {
                        "period": cap.period,
                        "amount": format_usd(cap.amount_pico),
                        "zone": cap.zone,
                        "reset_day": cap.reset_day,
                        "alerts": cap.alerts,
                    }
                    for cap in part.caps
                ],
            }
            for part in template.parts
        ],
    }


async def _chosen(unit: Unit, kind: TemplateKind, user_id: int, name: str | None) -> LimitTemplate | None:
    if name == NONE:
        return None
    if name is None:
        return await unit.templates.default_for(kind, user_id)
    found = await find(unit, name)
    if found.kind != kind:
        raise BadInputError(f"{name!r} is a template for a {found.kind}", "see: softix templates list")
    return found


def _asked(part: TemplatePart, explicit: Explicit) -> Sequence[AskedLimits]:
    """Returns what a part gives: its limits a minute, and one cap after the other, since each has terms of its own."""
    rates = {name: getattr(part, name) for name in _RATES if name not in explicit.rates}
    given = {name: value for name, value in rates.items() if value is not None}
    asked = [AskedLimits(part.models, rates=given)] if given else []
    for cap in part.caps:
        if cap.period not in explicit.periods:
            terms = AskedTerms(cap.zone, cap.reset_day, cap.alerts)
            asked.append(AskedLimits(part.models, {cap.period: cap.amount_pico}, terms))
    return asked


async def _changed(unit: Unit, template: LimitTemplate, asked: AskedLimits) -> tuple[TemplatePart, ...]:
    """Returns the parts with what is asked for. Raises BadInputError."""
    await checked_models(unit, [asked.models] if asked.models else [])
    if template.kind == "user" and asked.rates:
        raise BadInputError("users have no limits a minute", "give them to keys: softix templates set NAME --for key")
    if asked.models and "concurrency" in asked.rates:
        raise BadInputError("the limit of concurrent requests is of all models", "leave out --model, or --concurrency")
    if asked.terms.until is not None:
        raise BadInputError("a template has no raise", "leave out --until")
    old = next((part for part in template.parts if part.models == asked.models), TemplatePart(asked.models))
    new = old._replace(**asked.rates, caps=_changed_caps(old.caps, asked))
    for name in _RATES:
        value = getattr(new, name)
        if value is not None and not 0 < value <= 10**9:
            raise BadInputError(f"{name} is a number from 1 to 1,000,000,000", "leave it out for no limit")
    parts = [part for part in template.parts if part.models != asked.models]
    if len(parts) >= _MOST_PARTS:
        raise ConflictError(f"a template has limits for at most {_MOST_PARTS} patterns", "remove one of them")
    return tuple(sorted((*parts, *(() if new.is_empty else (new,)))))


def _changed_caps(old: Sequence[TemplateCap], asked: AskedLimits) -> tuple[TemplateCap, ...]:
    """Returns the caps of a part with what is asked for. Raises BadInputError."""
    terms, found = asked.terms, {cap.period: cap for cap in old}
    for period in asked.amounts or (found if terms != AskedTerms() else {}):
        amount_pico = asked.amounts.get(period, found[period].amount_pico if period in found else None)
        if amount_pico is None:
            found.pop(period, None)
            continue
        if amount_pico < 0:
            raise BadInputError("a cap is not negative", "0 lets nothing through; write none for no cap")
        cap = found.get(period, TemplateCap(period, 0))._replace(amount_pico=amount_pico)
        given = {"zone": terms.zone, "reset_day": terms.reset_day, "alerts": terms.alerts}
        changes: dict[str, Any] = {
            name: None if text == NONE else text for name, text in given.items() if text is not None
        }
        cap = cap._replace(**changes)
        # a key would refuse what cannot be kept, so the template does
        changed_terms(
            Cap(0, 0, None, "", period, 0, 0), None, 0, AskedTerms(cap.zone, cap.reset_day, cap.alerts), 0, "UTC"
        )
        found[period] = cap
    return tuple(found[period] for period in PERIODS if period in found)


async def _listed(unit: Unit, template: LimitTemplate) -> ListedTemplate:
    places = [each.user_id for each in await unit.templates.defaults() if each.template_id == template.id]
    of = [(await unit.users.get(user_id)).public_id for user_id in places if user_id != WHOLE_INSTANCE]
    return ListedTemplate(template, WHOLE_INSTANCE in places, of)


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name) or name == NONE:
        raise BadInputError(
            f"not a name of a template: {name!r}", "write small letters, digits, and . _ - between them, such as trial"
        )
    return name
