import pytest
from support.people import ADA, HOME, People, new_vault

from softix_proxy.domain.accounts.throttles import LONGEST_WINDOW_US, ThrottleRule
from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.operations.accounts import throttles

RULES = [rule for rule in vars(throttles).values() if isinstance(rule, ThrottleRule)]


def test_rules_have_names_of_their_own_and_windows_that_a_purge_leaves_alone() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES) == 14
    assert all(rule.burst * rule.interval_us < LONGEST_WINDOW_US for rule in RULES)


def test_subjects_of_an_attempt_are_digests_of_the_folded_address_and_the_network() -> None:
    vault = new_vault()
    by = throttles.subjects(vault, ADA, HOME)
    assert by == throttles.subjects(vault, "ADA@EXAMPLE.ORG", f"::ffff:{HOME}")
    assert by.pair == f"{by.account} {by.network}" and "ada" not in by.pair and HOME not in by.pair
    others = [throttles.subjects(vault, "bob@example.org", HOME), throttles.subjects(new_vault(), ADA, HOME)]
    assert all(other.account != by.account for other in others)


async def test_attempt_that_has_to_wait_ends_its_transaction_and_says_for_how_long(people: People) -> None:
    rule = ThrottleRule("tries", per_hour=60, burst=1)
    for subject, passes in (("a", True), ("b", True), ("a", False)):
        try:
            async with people.storage.writing() as unit:
                await throttles.take(unit, throttles.REGISTER, "n")
                await throttles.take(unit, rule, subject)
        except RefusedError as error:
            assert (error.code, error.retry_after_s, passes) == (Code.RATE_LIMITED, 60, False)
        else:
            assert passes
    async with people.storage.writing() as unit:
        for _ in range(throttles.REGISTER.burst - 2):
            await throttles.take(unit, throttles.REGISTER, "n")
        with pytest.raises(RefusedError):
            await throttles.take(unit, throttles.REGISTER, "n")
