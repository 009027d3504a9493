from softix_proxy.domain.accounts.throttles import ThrottleRule

NOW_US = 1_800_000_000_000_000
MINUTE_US = 60_000_000
RULE = ThrottleRule("tries", per_hour=60, burst=3)


def test_rule_of_sixty_an_hour_has_an_interval_of_a_minute() -> None:
    assert RULE.interval_us == MINUTE_US


def test_rule_lets_its_burst_pass_and_delays_the_next_attempt() -> None:
    tat_us, waits_us = 0, []
    for _ in range(4):
        tat_us, wait_us = RULE.arrive(tat_us, NOW_US)
        waits_us.append(wait_us)
    assert waits_us == [0, 0, 0, MINUTE_US]


def test_rule_given_an_arrival_time_that_it_cannot_have_made_starts_anew() -> None:
    assert RULE.arrive(NOW_US + 3 * MINUTE_US, NOW_US)[1] == MINUTE_US
    assert RULE.arrive(NOW_US + 3 * MINUTE_US + 1, NOW_US) == (NOW_US + MINUTE_US, 0)


def test_rule_gives_back_one_attempt_and_never_more_than_all() -> None:
    assert RULE.give_back(NOW_US + 3 * MINUTE_US, NOW_US) == NOW_US + 2 * MINUTE_US
    assert RULE.give_back(NOW_US + 1, NOW_US) == NOW_US
