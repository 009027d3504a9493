"""Sums of usage by the value of a tag, and by end user."""

from __future__ import annotations

from dataclasses import replace

from support.books import NOW_US, make_intent, make_settlement
from support.engines import Books

from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.ports.storage import Storage

EVER = Span(0, 2**62)


async def test_value_of_a_tag_is_read_whole_and_from_no_other_tag(books: Books, storage: Storage) -> None:
    for number, tags in enumerate(("team=search", "a=1 team=search.eu", "steam=search", "xteam=1 team=s", ""), 1):
        intent = replace(make_intent(number, 0), tags=tags, end_user=str(number % 2) * 32)
        await books.settle([make_settlement(intent, charge_pico=10**number)], NOW_US + number)
    found = await storage.reading().usage.tag_totals("team", EVER)
    assert {each.id: each.charge_pico for each in found} == {
        "search": 10,
        "search.eu": 100,
        "s": 10_000,
        "": 101_000,
    }
    assert {each.id: each.requests for each in await storage.reading().usage.tag_totals(None, EVER)} == {
        "0" * 32: 2,
        "1" * 32: 3,
    }
