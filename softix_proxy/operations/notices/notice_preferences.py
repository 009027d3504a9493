"""The operations by which people choose what they are told: kinds of messages, and balances."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from softix_proxy.domain.core.errors import BadInputError, NotFoundError
from softix_proxy.domain.core.money import MAX_PICO
from softix_proxy.domain.notices.notice_preferences import MOST_THRESHOLDS, OPTIONAL_KINDS
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.operations.core.shown_names import name_of


@dataclass(frozen=True, slots=True)
class BalanceThresholds:
    """The balances of one organisation at which a person is told."""

    user_id: int
    public_id: str
    name: str
    amounts_pico: Sequence[int]
    """The balances in pico-USD, the greatest first."""


@dataclass(frozen=True, slots=True)
class NoticePreferences:
    """What a person chose."""

    muted: frozenset[NoticeKind]
    """The kinds that the person switched off. Only those of OPTIONAL_KINDS can be."""
    organisations: Sequence[BalanceThresholds]
    """The organisations of the person, the oldest membership first."""


async def show(storage: Storage, account_id: int) -> NoticePreferences:
    async with storage.snapshot() as unit:
        organisations = []
        for member in await unit.memberships.of_account(account_id):
            user = await unit.users.get(member.user_id)
            name = await name_of(unit, user.id)
            amounts_pico = await unit.notice_preferences.thresholds(account_id, user.id)
            organisations.append(BalanceThresholds(user.id, user.public_id, name, amounts_pico))
        return NoticePreferences(await unit.notice_preferences.muted(account_id), organisations)


async def choose(
    storage: Storage, account_id: int, muted: Collection[NoticeKind], thresholds_pico: Mapping[int, Sequence[int]]
) -> None:
    """Switches these kinds off and all others on, and sets the balances by the number of the organisation.

    No balances leave the operator's default. All of it is saved, or nothing. Raises NotFoundError for an organisation
    that the person is no member of, and BadInputError.
    """
    _check_kinds(muted)
    for thresholds in thresholds_pico.values():
        _check_thresholds(thresholds)
    async with storage.writing() as unit:
        await unit.notice_preferences.mute(account_id, frozenset(muted))
        for user_id, thresholds in thresholds_pico.items():
            await _require_member(unit, account_id, user_id)
            await unit.notice_preferences.set_thresholds(account_id, user_id, thresholds)


def _check_kinds(kinds: Collection[NoticeKind]) -> None:
    """Raises BadInputError for a kind that law or security demands."""
    owed = sorted(kind.value for kind in {*kinds} - OPTIONAL_KINDS)
    if owed:
        raise BadInputError(
            f"these messages cannot be switched off: {', '.join(owed)}",
            f"choose among: {', '.join(sorted(kind.value for kind in OPTIONAL_KINDS))}",
        )


def _check_thresholds(thresholds_pico: Sequence[int]) -> None:
    """Raises BadInputError."""
    if len({*thresholds_pico}) > MOST_THRESHOLDS:
        raise BadInputError(f"there are at most {MOST_THRESHOLDS} thresholds", "leave some out")
    if any(not 0 <= each <= MAX_PICO for each in thresholds_pico):
        raise BadInputError("a threshold is not negative", "give amounts in US dollars, such as 5.00")


async def _require_member(unit: Unit, account_id: int, user_id: int) -> None:
    if await unit.memberships.find(account_id, user_id) is None:
        raise NotFoundError("no such organisation", "choose one that you are a member of")
