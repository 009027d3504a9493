"""Notices spending far above a key's own history."""

from __future__ import annotations

from collections.abc import Iterator

from softix_proxy.domain.abuse.evidence import KeyHours
from softix_proxy.domain.abuse.history import is_known, usual
from softix_proxy.domain.abuse.rule import AbuseRule, Suspicion, Threshold, Thresholds
from softix_proxy.domain.core.money import PICO_PER_USD, format_usd

_PICO_PER_CENT = PICO_PER_USD // 100


def _find(use: KeyHours, limits: Thresholds) -> Iterator[Suspicion]:
    spent_pico = use.now.charge_pico
    if spent_pico < limits["least_cents"] * _PICO_PER_CENT or not is_known(use, limits["history_days"]):
        return
    usual_pico = usual(use, lambda hour: hour.charge_pico).most
    if spent_pico <= usual_pico * limits["factor"]:
        return
    text = (
        f"The key spent {format_usd(spent_pico)} US dollars in this hour. "
        f"At this hour of the week it usually spends at most {format_usd(usual_pico)}."
    )
    figures = {"spent_pico": spent_pico, "usual_pico": usual_pico}
    yield Suspicion(use.public_id, text, figures, use.key_id, use.user_id)


RULE = AbuseRule(
    "spend",
    "A key spends far more in an hour than it ever did at this hour of the week.",
    "It cannot see a rise that takes weeks, and it knows nothing of a key in its first days.",
    KeyHours,
    (
        Threshold("factor", 8, "times", "how many times the usual amount", 2, 1000),
        Threshold("least_cents", 500, "US cents an hour", "less than this is never noticed", 1),
        Threshold("history_days", 7, "days", "how long a key must be known", 7, 60),
    ),
    _find,
)
