"""The page of one's own messages: the kinds that are wanted, and the balances at which to be told."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.core.money import format_usd
from softix_proxy.domain.notices.notice_preferences import OPTIONAL_KINDS
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.operations.notices import notice_preferences
from softix_proxy.operations.notices.notice_preferences import BalanceThresholds
from softix_proxy.web.portal.access.refusals import REFUSED
from softix_proxy.web.portal.core.page import Answer, Page, PageRequest, SeeOther
from softix_proxy.web.portal.core.typed import typed_usd

NOTICES = "/account/notices"
_BETWEEN = re.compile(r"[;\s]+|,(?:\s+|$)")
_AMBIGUOUS = re.compile(r"[0-9][, \u00a0\u202f][0-9]{3}(?![0-9])")
"""What may be one amount in groups of three, or two amounts: `1,000` or `20 500`."""


async def show(request: PageRequest) -> Answer:
    chosen = await notice_preferences.show(request.storage, request.viewer.account.id)
    shown = [(each, ", ".join(map(format_usd, reversed(each.amounts_pico)))) for each in chosen.organisations]
    return Page("account_notices", _values(request, chosen.muted, shown))


async def save(request: PageRequest) -> Answer:
    """Saves all choices at once. Organisations that the person does not belong to are not looked at."""
    muted = frozenset(kind for kind in OPTIONAL_KINDS if f"kind_{kind.value}" not in request.form)
    before = await notice_preferences.show(request.storage, request.viewer.account.id)
    typed = [(each, request.form.get(f"thresholds_{each.public_id}", "")) for each in before.organisations]
    try:
        thresholds_pico = {each.user_id: _amounts(text) for each, text in typed}
        await notice_preferences.choose(request.storage, request.viewer.account.id, muted, thresholds_pico)
    except BadInputError:
        values = {**_values(request, muted, typed), "problem": "account_notices.bad_thresholds"}
        return Page("account_notices", values, REFUSED)
    return SeeOther(NOTICES, "flash.saved")


def _amounts(text: str) -> list[int]:
    """Returns the amounts in pico-USD of a text such as `20, 5.00`. Raises BadInputError."""
    if _AMBIGUOUS.search(text) is not None:
        raise BadInputError("this may be one amount or two", "write amounts without groups, such as 1000.00, 5.00")
    return [typed_usd(part) for part in _BETWEEN.split(text) if part]


def _values(
    request: PageRequest, muted: Collection[NoticeKind], organisations: Sequence[tuple[BalanceThresholds, str]]
) -> Mapping[str, Any]:
    """Returns what the template needs. Each organisation comes with the text of its field."""
    return {
        "kinds": [(kind.value, kind not in muted) for kind in NoticeKind if kind in OPTIONAL_KINDS],
        "organisations": [(each.public_id, each.name, text) for each, text in organisations],
        "default": request.settings.mail.low_balance_usd,
        "problem": None,
    }
