from __future__ import annotations

from softix_proxy.domain.metering.usage import UsageTotal
from softix_proxy.storage.sqlite.metering.usage_tags import added_up


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
