from __future__ import annotations

from support.abuse_traffic import NOW_HOUR, key_use

from softix_proxy.domain.abuse.evidence import NO_USE, HourUse, mailbox_of


def test_mailbox_leaves_out_what_is_behind_a_plus() -> None:
    assert mailbox_of("ada+one@example.org") == mailbox_of("ada+@example.org") == "ada@example.org"
    assert mailbox_of("ada@example.org") != mailbox_of("bob@example.org")


def test_hours_of_a_key_tell_the_present_one_from_the_earlier_ones() -> None:
    use = key_use({NOW_HOUR - 3: HourUse(requests=1), NOW_HOUR: HourUse(requests=2)}, NOW_HOUR)
    assert (use.now.requests, use.known_hours, use.earlier()) == (2, 3, [NOW_HOUR - 3])
    empty = key_use({}, NOW_HOUR)
    assert (empty.now, empty.known_hours) == (NO_USE, 0)
