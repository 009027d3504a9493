from __future__ import annotations

from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.core.errors import Code
from softix_proxy.relay.core.key_guesses import KeyGuesses, too_many

HOME, OTHER = "192.0.2.1", "192.0.2.2"


def exhausted(guesses: KeyGuesses, address: str, now_us: int) -> int:
    """How many failures pass until the address has to wait."""
    count = 0
    while not guesses.wait_us(address, now_us):
        guesses.failed(address, now_us)
        count += 1
    return count


def test_guesses_of_an_address_have_to_wait_after_the_limit() -> None:
    guesses = KeyGuesses(30)
    assert exhausted(guesses, HOME, 0) == 30
    assert guesses.wait_us(HOME, 0) == 2 * SECOND_US, "one more every two seconds"
    assert guesses.wait_us(HOME, 2 * SECOND_US) == 0
    assert exhausted(guesses, HOME, 2 * SECOND_US) == 1
    assert guesses.wait_us(OTHER, 0) == 0


def test_guesses_after_a_minute_of_silence_start_anew() -> None:
    guesses = KeyGuesses(30)
    exhausted(guesses, HOME, 0)
    assert exhausted(guesses, HOME, 60 * SECOND_US) == 30


def test_guesses_from_one_site_of_ipv6_are_counted_together() -> None:
    guesses = KeyGuesses(2)
    guesses.failed("2001:db8::1", 0)
    guesses.failed("2001:db8::2", 0)
    assert guesses.wait_us("2001:db8::3", 0) > 0 and guesses.wait_us("2001:db8:0:1::1", 0) == 0


def test_guesses_from_any_number_of_addresses_take_bounded_memory() -> None:
    guesses = KeyGuesses(2)
    exhausted(guesses, HOME, 0)
    for number in range(9_999):
        guesses.failed(f"10.0.{number // 250}.{number % 250}", 0)
    assert guesses.wait_us(HOME, 0) > 0 and len(guesses._forgotten_us) == 10_000
    guesses.failed("10.1.0.1", 0)
    assert guesses.wait_us(HOME, 0) == 0 and len(guesses._forgotten_us) == 10_000


def test_too_many_guesses_are_refused_with_the_time_to_wait() -> None:
    error = too_many(1_500_000)
    assert (error.code, error.retry_after_s) == (Code.RATE_LIMITED, 1.5) and "valid key" in error.message
