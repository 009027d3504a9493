from __future__ import annotations

from typing import Any

import pytest
from support.abuse_lab import LATER_US, NOW_HOUR, act, burst, watch_of
from support.books import NOW_US, StoppedClock, make_intent, make_settlement
from support.engines import Books

from softix_proxy.domain.abuse.evidence import Guesses, HourUse, PaymentTries
from softix_proxy.domain.abuse.rule import AbuseAction
from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.accounts.accounts import Account, AccountStatus
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.operations.abuse import abuse
from softix_proxy.operations.accounts import security_events
from softix_proxy.storage.sqlite.abuse import abuse_evidence

pytestmark = pytest.mark.only_engine("sqlite", reason="asks how it finds its rows")


async def test_sums_of_hours_have_requests_errors_hang_ups_and_what_they_cost(
    books: Books, clock: StoppedClock
) -> None:
    clock.us = LATER_US
    intents = [make_intent(number, 0) for number in (1, 2, 3)]
    errors = (None, "client_hung_up", "provider_timeout")
    settled = [
        make_settlement(intent, error=error, charge_pico=5, cost_pico=5)
        for intent, error in zip(intents, errors, strict=True)
    ]
    await books.settle(settled, NOW_US + 1)
    await watch_of(books).gather()
    await watch_of(books).gather()
    use = await books.storage.reading().abuse.key_use(1, NOW_HOUR, 0)
    assert use.now == HourUse(requests=3, failures=1, refused=0, hang_ups=1, tokens=21, charge_pico=15)
    assert (use.public_id, use.user_id) == ("key_ada", 1)


async def test_rows_are_gathered_in_portions_and_each_once(books: Books, clock: StoppedClock) -> None:
    clock.us = LATER_US
    await books.settle(burst(1, 5, 1), NOW_US + 1)
    counts = []
    for _ in range(4):
        async with books.storage.writing() as unit:
            counts.append(await unit.abuse.gather(2))
    assert counts == [2, 2, 1, 0]
    assert (await books.storage.reading().abuse.key_use(1, NOW_HOUR, 0)).now.requests == 5


async def test_gathering_uses_the_number_of_rows_and_scans_nothing(books: Books) -> None:
    session: Any = books.storage.reading()._session  # type: ignore[attr-defined]
    for statement, values in ((abuse_evidence._END, (1, 2, 3)), (abuse_evidence._GATHER, (1, 2))):
        plan = [row[3] for row in await session.all(f"EXPLAIN QUERY PLAN {statement}", *values)]
        assert any("SEARCH usage USING INTEGER PRIMARY KEY" in step for step in plan), plan
        assert not any("SCAN usage" in step for step in plan), plan


async def test_networks_with_failed_sign_ins_and_guessed_keys_are_gathered_together(books: Books) -> None:
    async with books.storage.writing() as unit:
        await unit.abuse.add_refusals(NOW_HOUR, {}, {"192.0.2.7": 3})
        for _ in range(2):
            await security_events.record(unit, "sign_in_failed", None, address="192.0.2.7")
        await security_events.record(unit, "sign_in_failed", None, address="2001:db8::1")
        await security_events.record(unit, "sign_in_failed", None)
        await security_events.record(unit, "signed_out", None, address="192.0.2.7")
    store = books.storage.reading().abuse
    assert await store.guesses(NOW_US, 9) == [Guesses("192.0.2.7", 3, 2), Guesses("2001:db8::/64", 0, 1)]
    assert await store.guesses(NOW_US, 1) == [Guesses("192.0.2.7", 3, 2)]


async def test_accounts_of_the_last_day_are_gathered_with_network_and_mailbox(books: Books) -> None:
    async with books.storage.writing() as unit:
        for number in (1, 2):
            account = await unit.accounts.add(
                Account(
                    0, f"acc_{number}", f"ada+{number}@example.org", "", UserRole.USER, AccountStatus.ACTIVE, NOW_US
                )
            )
            await security_events.record(unit, "registered", account.id, address="192.0.2.7", device="Firefox")
    store = books.storage.reading().abuse
    made = await store.registrations(NOW_US, 9)
    assert {each.account for each in made} == {"acc_1", "acc_2"}
    assert len({each.mailbox for each in made}) == 1 and "ada" not in repr(made)
    assert {(each.network, each.device) for each in made} == {("192.0.2.7", "Firefox")}
    assert await store.registrations(NOW_US + 1, 9) == []


async def test_payments_of_the_last_day_are_counted_by_organisation(books: Books) -> None:
    rows = [("failed", 500, 0), ("failed", 5000, 0), ("open", 500, 0), ("paid", 500, 0), ("failed", 500, -1)]
    for number, (state, cents, step_us) in enumerate(rows):
        await books.run(
            "INSERT INTO payments (public_id, user_id, kind, state, asked_cents, asked_tax_cents, is_live,"
            " created_at_us)"
            f" VALUES ('pay_{number}', 1, 'checkout', '{state}', {cents}, 0, 1, {NOW_US + step_us})"
        )
    found = await books.storage.reading().abuse.payment_tries(NOW_US, 9)
    assert found == [PaymentTries(1, "usr_ada", tried=4, failed=2, small_failed=1, open=1, paid=1)]


async def test_old_sums_are_purged_and_open_alerts_stay(books: Books, clock: StoppedClock) -> None:
    clock.us = LATER_US
    await act(books, AbuseAction.ALERT)
    clock.us += 500 * DAY_US
    assert await watch_of(books).purge() == 1, "the hour, and not the alert"
    [alert] = await abuse.list_all(books.storage, limit=10)
    await abuse.acknowledge(books.storage, alert.public_id)
    assert await watch_of(books).purge() == 1
