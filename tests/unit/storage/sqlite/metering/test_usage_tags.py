from __future__ import annotations

from dataclasses import replace

from support.books import NOW_US, make_intent, make_settlement
from support.engines import Books

from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.metering.usage import UsageTotal
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.storage.sqlite.metering.usage_tags import added_up

EVER = Span(0, 2**62)


def total(value: str, charge_pico: int, requests: int = 1) -> UsageTotal:
    return UsageTotal(value, value, requests, 0, 1, 2, 3, charge_pico)


def test_parts_are_added_up_by_value_and_the_most_expensive_comes_first() -> None:
    parts = [[total("search", 5), total("", 1)], [total("sales", 9), total("search", 6)], []]
    found = added_up(parts)
    assert [(each.id, each.charge_pico, each.requests) for each in found] == [
        ("search", 11, 2),
        ("sales", 9, 1),
        ("", 1, 1),
    ]
    assert (found[0].name, found[0].input_tokens, found[0].output_tokens, found[0].cost_pico) == ("search", 2, 4, 6)


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
