"""Books with two keys, and what the rules against abuse are shown of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from support.books import NOW_US, USD, make_intent, make_settlement
from support.engines import Books

from softix_proxy.domain.abuse.abuse_tally import AbuseTally
from softix_proxy.domain.abuse.evidence import HOUR_US
from softix_proxy.domain.abuse.rule import AbuseAction
from softix_proxy.domain.access.roles import OperatorRoles
from softix_proxy.domain.accounts.principals import NOBODY
from softix_proxy.domain.metering.settlement import Settlement
from softix_proxy.operations.abuse import abuse
from softix_proxy.operations.abuse.evaluation import AbuseWatch
from softix_proxy.operations.abuse.key_places import nowhere
from softix_proxy.operations.access.door import Door

WEEK_HOURS = 168
NOW_HOUR = NOW_US // HOUR_US
LATER_US = NOW_US + HOUR_US // 2
"""In the middle of the hour."""


def watch_of(books: Books, tally: AbuseTally | None = None, country_of: Callable[[str], str] = nowhere) -> AbuseWatch:
    storage = Door(books.storage, NOBODY).recorded("abuse.watch")
    return AbuseWatch(storage, OperatorRoles(), tally or AbuseTally(), country_of)


async def quiet_fortnight(books: Books) -> None:
    """Key 1 spends ten cents an hour for two weeks, as the sums have it."""
    for hour in range(NOW_HOUR - 2 * WEEK_HOURS, NOW_HOUR):
        await books.run(
            "INSERT INTO abuse_hours (key_id, hour, requests, tokens, charge_pico)"
            f" VALUES (1, {hour}, 10, 1000, {USD // 10})"
        )


def burst(first: int, count: int, charge_pico: int) -> Sequence[Settlement]:
    return [
        make_settlement(make_intent(first + number, 0), charge_pico=charge_pico, cost_pico=charge_pico)
        for number in range(count)
    ]


async def spend(books: Books, first: int, count: int, *, cents: int = 100) -> None:
    await books.settle(burst(first, count, cents * USD // 100), NOW_US + first)


async def act(books: Books, action: AbuseAction) -> str:
    """Has the rule of refusals act on key 1. Returns the id of the alert."""
    await abuse.tune(books.storage, "refusals", action=action)
    tally = AbuseTally()
    for _ in range(250):
        tally.refused(1)
    assert await watch_of(books, tally).look() == 1
    [alert] = await abuse.list_all(books.storage, limit=1)
    return alert.public_id
