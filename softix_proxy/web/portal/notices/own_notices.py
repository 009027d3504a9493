"""The page of one's own messages: the kinds that are wanted, and the balances at which to be told."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.core.money import format_usd, parse_usd
from softix_proxy.domain.notices.notice_preferences import OPTIONAL_KINDS
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.operations.notices import notice_preferences
from softix_proxy.web.portal.core.page import Answer, Page, PageRequest, SeeOther

NOTICES = "/account/notices"
_REFUSED = 400


async def show(request: PageRequest) -> Answer:
    chosen = await notice_preferences.show(request.storage, request.viewer.account.id)
    thresholds = {
        user_id: ", ".join(map(format_usd, reversed(amounts))) for user_id, amounts in chosen.thresholds_pico.items()
    }
    return Page("account_notices", await _values(request, chosen.muted, thresholds))


async def save(request: PageRequest) -> Answer:
    """Saves all choices at once. Organisations that the person does not belong to are not looked at."""
    muted = frozenset(kind for kind in OPTIONAL_KINDS if f"kind_{kind.value}" not in request.form)
    organisations = await _organisations(request)
    typed = {user_id: request.form.get(f"thresholds_{name}", "") for user_id, (name, _) in organisations.items()}
    try:
        thresholds_pico = {user_id: _amounts(text) for user_id, text in typed.items()}
        await notice_preferences.choose(request.storage, request.viewer.account.id, muted, thresholds_pico)
    except BadInputError:
        values = await _values(request, muted, typed)
        return Page("account_notices", {**values, "problem": "account_notices.bad_thresholds"}, _REFUSED)
    return SeeOther(NOTICES, "flash.saved")


def _amounts(text: str) -> list[int]:
    """Returns the amounts in pico-USD of a text such as `20, 5.00`. Raises BadInputError."""
    return [parse_usd(part.removeprefix("$")) for part in text.replace(",", " ").split()]


async def _organisations(request: PageRequest) -> Mapping[int, tuple[str, str]]:
    """Returns the public id and the name of each organisation of the person, by its number."""
    unit = request.storage.reading()
    users = [await unit.users.get(member.user_id) for member in request.viewer.memberships]
    return {user.id: (user.public_id, user.name) for user in users}


async def _values(
    request: PageRequest, muted: Collection[NoticeKind], thresholds: Mapping[int, str]
) -> Mapping[str, Any]:
    return {
        "kinds": [(kind.value, kind not in muted) for kind in NoticeKind if kind in OPTIONAL_KINDS],
        "organisations": [
            (public_id, name, thresholds.get(user_id, ""))
            for user_id, (public_id, name) in (await _organisations(request)).items()
        ],
        "default": request.settings.mail.low_balance_usd,
        "problem": None,
    }
