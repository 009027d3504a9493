from __future__ import annotations

from softix_proxy.domain.privacy.technical_data import FURTHER
from softix_proxy.relay.core.seen_clients import (
    MOST_NETWORKS,
    MOST_USES,
    MOST_USES_OF_KEY,
    ClientUse,
    NetworkGuess,
    SeenClients,
)


def test_uses_of_one_place_are_counted_with_first_and_last() -> None:
    seen = SeenClients()
    seen.note(1, "192.0.2.1", "curl/8", "TLSv1.3", 10)
    seen.note(1, "192.0.2.1", "curl/8", "TLSv1.3", 30)
    seen.note(1, "192.0.2.2", "curl/8", "", 20)
    seen.note(2, "192.0.2.1", "curl/8", "TLSv1.3", 40)
    assert seen.take() == (
        [
            ClientUse(1, "192.0.2.1", "curl/8", "TLSv1.3", 10, 30, 2),
            ClientUse(1, "192.0.2.2", "curl/8", "", 20, 20, 1),
            ClientUse(2, "192.0.2.1", "curl/8", "TLSv1.3", 40, 40, 1),
        ],
        [],
    )
    assert seen.take() == ([], []), "what was taken is forgotten"


def test_long_user_agent_is_cut_and_counted_in_one_place() -> None:
    seen = SeenClients()
    for at_us in (1, 2, 3):
        seen.note(1, "192.0.2.1", "x" * 9_000, "", at_us)
    [use], _ = seen.take()
    assert use.user_agent == "x" * 256 and use.requests == 3


def test_flood_of_one_key_is_bounded_counted_and_leaves_room_for_others() -> None:
    seen = SeenClients()
    for at in range(MOST_USES_OF_KEY + 70):
        seen.note(1, f"2001:db8::{at:x}", "curl/8", "", at)
    seen.note(2, "192.0.2.1", "curl/8", "", 5)
    uses, _ = seen.take()
    assert len(uses) == MOST_USES_OF_KEY + 2
    assert [use for use in uses if use.address == FURTHER] == [
        ClientUse(1, FURTHER, "", "", MOST_USES_OF_KEY, MOST_USES_OF_KEY + 69, 70)
    ]
    assert uses[-1].address == "192.0.2.1" and seen.tally.not_kept == 70
    assert sum(use.requests for use in uses) == MOST_USES_OF_KEY + 71


def test_flood_by_many_keys_is_bounded_and_counted() -> None:
    seen = SeenClients()
    for key_id in range(3 * MOST_USES):
        seen.note(key_id, "192.0.2.1", "curl/8", "", 1)
    uses, _ = seen.take()
    assert len(uses) == 2 * MOST_USES and seen.tally.not_kept == 2 * MOST_USES


def test_guesses_are_counted_by_network_and_bounded() -> None:
    seen = SeenClients()
    seen.guessed("2001:db8::1", 1, slowed=False)
    seen.guessed("2001:db8::2", 5, slowed=True)
    assert seen.take() == ([], [NetworkGuess("2001:db8::/64", 1, 5, 1, 1)])
    for at in range(MOST_NETWORKS + 3):
        seen.guessed(f"10.{at // 250}.{at % 250}.1", 9, slowed=at % 2 == 0)
    _, guesses = seen.take()
    assert len(guesses) == MOST_NETWORKS + 1
    assert guesses[-1] == NetworkGuess(FURTHER, 9, 9, 1, 2)
    assert (seen.tally.failed_keys, seen.tally.slowed_keys) == (1 + 1001, 1 + 1002)


def test_what_is_given_back_is_added_to_what_came_meanwhile() -> None:
    seen = SeenClients()
    seen.note(1, "192.0.2.1", "curl/8", "", 10)
    seen.guessed("192.0.2.9", 10, slowed=False)
    taken = seen.take()
    seen.note(1, "192.0.2.1", "curl/8", "", 20)
    seen.guessed("192.0.2.9", 20, slowed=True)
    seen.give_back(*taken)
    assert seen.take() == (
        [ClientUse(1, "192.0.2.1", "curl/8", "", 10, 20, 2)],
        [NetworkGuess("192.0.2.9", 10, 20, 1, 1)],
    )
    assert (seen.tally.failed_keys, seen.tally.slowed_keys) == (1, 1), "the tally counts each once"
