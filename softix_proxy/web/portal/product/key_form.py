"""Reads the form of a key, and fills it with what a key has. Every field is a text; an empty one sets no limit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from softix_proxy.domain.access.keys import Key, KeyLimits
from softix_proxy.domain.core.calendar import Calendar, day_of
from softix_proxy.domain.core.clock import PERIODS, SECOND_US, CapPeriod
from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.core.money import format_usd
from softix_proxy.operations.organisations.organisation_keys import KeyForm
from softix_proxy.web.portal.core.typed import plain_number, typed_usd

FIELDS = ("label", "models", "allow_ip", "rpm", "tpm", "concurrency", "cap", "cap_period", "expires_on", "project")
_BETWEEN = re.compile(r"[\s,;]+")
_MOST_LISTED = 100


def read(form: Mapping[str, str], at: Calendar, earlier: Key | None = None) -> KeyForm:
    """Reads the fields. A day is the last on which the key works, in the billing zone.

    `earlier` is the key as it was. Its end stays to the microsecond if the day stays. Raises BadInputError.
    """
    return KeyForm(
        label=form.get("label", "").strip(),
        models=_listed(form.get("models", "")),
        allow_ip=_listed(form.get("allow_ip", "")),
        limits=read_limits(form),
        expires_at_us=_end_us(form.get("expires_on", "").strip(), at, earlier),
        project=form.get("project", "").strip(),
    )


def read_limits(form: Mapping[str, str]) -> KeyLimits:
    """Reads the fields of the limits. Raises BadInputError."""
    return KeyLimits(
        rpm=_number(form.get("rpm", ""), "requests a minute"),
        tpm=_number(form.get("tpm", ""), "tokens a minute"),
        concurrency=_number(form.get("concurrency", ""), "requests at once"),
        cap_pico=_amount(form.get("cap", "")),
        cap_period=_period(form.get("cap_period", "month")),
    )


def values_of(key: Key, at: Calendar) -> dict[str, str]:
    """Returns the fields as they show the key."""
    return {
        "label": key.label,
        "models": "\n".join(key.models),
        "allow_ip": "\n".join(key.allow_ip),
        **limits_shown(key.limits),
        "cap_period": key.limits.cap_period if key.limits.cap_pico is not None else "month",
        "expires_on": _day_text(key, at),
        "project": "",
    }


def limits_shown(limits: KeyLimits) -> dict[str, str]:
    """Returns the fields as they show the limits. The period of the cap is chosen from a list of the page's own."""
    return {
        "rpm": _shown(limits.rpm),
        "tpm": _shown(limits.tpm),
        "concurrency": _shown(limits.concurrency),
        "cap": "" if limits.cap_pico is None else format_usd(limits.cap_pico),
    }


def values_in(form: Mapping[str, str]) -> dict[str, str]:
    """Returns the fields as they were sent, to show the form again."""
    return {name: form.get(name, "") for name in FIELDS}


def _shown(limit: int | None) -> str:
    return "" if limit is None else str(limit)


def _day_text(key: Key, at: Calendar) -> str:
    return "" if key.expires_at_us is None else at.date(key.expires_at_us).isoformat()


def _listed(text: str) -> tuple[str, ...]:
    """Returns the words of a list. They stand on lines of their own, or are separated by commas or spaces."""
    words = tuple(word for word in _BETWEEN.split(text) if word)
    if len(words) > _MOST_LISTED:
        raise BadInputError(f"a list has at most {_MOST_LISTED} entries", "use patterns such as gpt-*")
    return words


def _number(text: str, what: str) -> int | None:
    plain = plain_number(text)
    if not plain:
        return None
    if not (plain.isascii() and plain.isdigit() and len(plain) <= 10):
        raise BadInputError(f"{what}: this is not a whole number", "leave it empty for no limit")
    return int(plain)


def _amount(text: str) -> int | None:
    return None if text.strip() in ("", "$") else typed_usd(text)


def _period(text: str) -> CapPeriod:
    found = next((period for period in PERIODS if period == text), None)
    if found is None:
        raise BadInputError("this is not a period of a cap", "choose one of the list")
    return found


def _end_us(text: str, at: Calendar, earlier: Key | None) -> int | None:
    if not text:
        return None
    if earlier is not None and text == _day_text(earlier, at):
        return earlier.expires_at_us
    try:
        last = date.fromisoformat(text)
    except ValueError:
        raise BadInputError("the last day of the key is not a date", "write it as 2026-12-31") from None
    return at.start_us(day_of(last) + 1) - SECOND_US
