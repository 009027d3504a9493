from __future__ import annotations

from softix_proxy.doctor.findings import Severity
from softix_proxy.domain.core.clock import SystemClock

_ADD = "INSERT INTO technical_guesses VALUES (?, ?, ?, ?, ?, ?)"


async def test_no_guess_is_ok(made, look) -> None:
    [found] = await look("key-guesses")
    assert found.severity is Severity.OK and "nobody has tried" in found.message


async def test_guesses_that_were_not_slowed_down_are_counted(made, look, books) -> None:
    now_us = SystemClock().now_us()
    day = now_us // 86_400_000_000
    books.execute(_ADD, (day, "192.0.2.1", now_us - 5, now_us, 4, 0))
    books.execute(_ADD, (day - 3, "192.0.2.1", now_us - 3 * 86_400_000_000, now_us - 3 * 86_400_000_000, 99, 9))
    [found] = await look("key-guesses")
    assert found.severity is Severity.OK
    assert found.message == "4 invalid API keys were tried in a day, and 0 further ones were refused unread"


async def test_networks_that_were_slowed_down_are_named_the_most_first(made, look, books) -> None:
    now_us = SystemClock().now_us()
    day = now_us // 86_400_000_000
    for at in range(5):
        books.execute(_ADD, (day, f"192.0.2.{at}", now_us - 5, now_us, 30, at))
    [found] = await look("key-guesses")
    assert found.severity is Severity.WARNING
    assert found.message.startswith("150 invalid API keys were tried in a day, and 10 further ones")
    assert found.message.endswith("the most by network: 192.0.2.4: 34, 192.0.2.3: 33, 192.0.2.2: 32")
    assert "--allow-ip" in found.remedy
