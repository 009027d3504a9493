from softix_proxy.domain.routing.target_health import ALL_PPM, Breaker, TargetStats

SECOND_US = 1_000_000
PAUSE_US = 10 * SECOND_US


def failing(times: int, now_us: int = 0) -> Breaker:
    breaker = Breaker()
    for _ in range(times):
        breaker.enter()
        breaker.fail(now_us, 3, PAUSE_US)
    return breaker


def test_circuit_breaker_after_some_failures_in_a_row_opens() -> None:
    assert failing(2).state(0) == "closed" and failing(2).lets(0)
    breaker = failing(3)
    assert breaker.state(PAUSE_US - 1) == "open" and not breaker.lets(PAUSE_US - 1)
    broken_row = failing(2)
    broken_row.succeed()
    broken_row.fail(0, 3, PAUSE_US)
    assert broken_row.state(0) == "closed"


def test_circuit_breaker_when_half_open_lets_one_attempt_pass_at_a_time() -> None:
    breaker = failing(3)
    assert breaker.state(PAUSE_US) == "half-open" and breaker.lets(PAUSE_US)
    breaker.enter()
    assert not breaker.lets(PAUSE_US)
    breaker.abandon()
    assert breaker.lets(PAUSE_US)
    breaker.enter()
    breaker.succeed()
    assert breaker.state(PAUSE_US) == "closed" and breaker.lets(0)


def test_circuit_breaker_pause_after_each_failure_doubles_up_to_five_minutes() -> None:
    breaker, now_us, pauses = failing(3), 0, []
    for _ in range(8):
        pauses.append((breaker.open_until_us - now_us) // SECOND_US)
        now_us = breaker.open_until_us
        breaker.enter()
        breaker.fail(now_us, 3, PAUSE_US)
    assert pauses == [10, 20, 40, 80, 160, 300, 300, 300]


def test_circuit_breaker_when_open_is_not_prolonged_by_late_failures() -> None:
    breaker = failing(3)
    breaker.fail(5, 3, PAUSE_US)
    assert (breaker.open_until_us, breaker.pauses) == (PAUSE_US, 1)


def test_circuit_breaker_without_failure_limit_never_opens() -> None:
    breaker = Breaker()
    for _ in range(100):
        breaker.fail(0, 0, PAUSE_US)
    assert breaker.state(0) == "closed"


def test_target_stats_follow_latency_and_error_rate() -> None:
    stats = TargetStats(1)
    stats.answered(8000)
    assert stats.latency_us == 8000
    for _ in range(100):
        stats.answered(800)
        stats.count(failed=True)
    assert stats.latency_us < 1000 and stats.errors_ppm > 0.9 * ALL_PPM
    for _ in range(100):
        stats.count(failed=False)
    assert stats.errors_ppm < 0.01 * ALL_PPM and (stats.requests, stats.failures) == (200, 100)


def test_circuit_breaker_with_impossibly_long_pause_is_half_open() -> None:
    year_us = 365 * 86_400 * 1_000_000
    breaker = failing(5, year_us)
    assert breaker.state(year_us) == "open" and not breaker.lets(year_us)
    assert breaker.state(0) == "half-open" and breaker.lets(0)
    breaker.enter()
    breaker.fail(0, 5, 10)
    assert breaker.state(1) == "open" and 0 < breaker.open_until_us <= 300_000_000
