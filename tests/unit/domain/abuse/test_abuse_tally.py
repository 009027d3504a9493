from __future__ import annotations

from softix_proxy.domain.abuse.abuse_tally import AbuseTally


def test_counts_begin_anew_after_a_look() -> None:
    tally = AbuseTally()
    tally.refused(1)
    tally.refused(1)
    tally.guessed("192.0.2.7")
    assert tally.drain() == ({1: 2}, {"192.0.2.7": 1})
    assert tally.drain() == ({}, {})


def test_flood_of_networks_is_counted_up_to_a_bound() -> None:
    tally = AbuseTally()
    for number in range(10_001):
        tally.guessed(str(number))
        tally.refused(number)
    tally.guessed("0")
    by_key, by_network = tally.drain()
    assert len(by_key) == len(by_network) == 10_000
    assert by_network["0"] == 2
