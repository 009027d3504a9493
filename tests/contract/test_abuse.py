from __future__ import annotations

from collections.abc import Sequence

import pytest
from support.books import NOW_US, USD, StoppedClock, make_intent, make_settlement
from support.engines import Books
from support.members import join

from softix_proxy.domain.abuse.abuse_tally import AbuseTally
from softix_proxy.domain.abuse.evidence import HOUR_US, HourUse
from softix_proxy.domain.abuse.rule import AbuseAction
from softix_proxy.domain.access.keys import KeyStatus
from softix_proxy.domain.access.roles import OperatorRoles
from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.accounts.accounts import Account, AccountStatus
from softix_proxy.domain.accounts.audit import changes_of
from softix_proxy.domain.accounts.principals import NOBODY
from softix_proxy.domain.accounts.sessions import Session, SignInMethod
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.errors import ConflictError
from softix_proxy.domain.metering.settlement import Settlement
from softix_proxy.domain.notices.outbox import NoticeKind
from softix_proxy.operations.abuse import abuse
from softix_proxy.operations.abuse.actions import THROTTLED_RPM, THROTTLED_US
from softix_proxy.operations.abuse.evaluation import AbuseWatch
from softix_proxy.operations.access import keys
from softix_proxy.operations.access.door import Door

DAY_HOURS = 24
WEEK_HOURS = 168
NOW_HOUR = NOW_US // HOUR_US
LATER_US = NOW_US + HOUR_US // 2


def watch_of(books: Books, tally: AbuseTally | None = None) -> AbuseWatch:
    storage = Door(books.storage, NOBODY).recorded("abuse.watch")
    return AbuseWatch(storage, OperatorRoles(), tally or AbuseTally())


async def quiet_fortnight(books: Books) -> None:
    """Key 1 spends ten cents an hour for two weeks, as the sums have it."""
    for hour in range(NOW_HOUR - 2 * WEEK_HOURS, NOW_HOUR):
        await books.run(
            "INSERT INTO abuse_hours (key_id, hour, requests, tokens, charge_pico)"
            f" VALUES (1, {hour}, 10, 1000, {USD // 10})"
        )


def burst(first: int, count: int, charge_pico: int) -> Sequence[Settlement]:
    return [
        make_settlement(make_intent(first + number, 0), charge_pico=charge_pico, cost_pico=charge_pico)
        for number in range(count)
    ]


async def spend(books: Books, first: int, count: int, *, cents: int = 100) -> None:
    await books.settle(burst(first, count, cents * USD // 100), NOW_US + first)


async def test_spending_far_above_history_is_one_alert_until_it_is_quiet(books: Books, clock: StoppedClock) -> None:
    clock.us = LATER_US
    await quiet_fortnight(books)
    watch = watch_of(books)
    assert await watch.look() == 0
    await spend(books, 1, 8)
    assert await watch.look() == 1
    [alert] = await abuse.list_all(books.storage, limit=10)
    assert (alert.rule, alert.subject, alert.acked_us) == ("spend", "key_ada", None)
    assert "8.00" in alert.text
    assert "0.10" in alert.text
    await spend(books, 100, 1)
    assert await watch.look() == 0
    assert await watch_of(books).look() == 0, "another process knows it too"
    assert (await abuse.acknowledge(books.storage, alert.public_id)).acked_us == LATER_US
    assert await abuse.list_all(books.storage, limit=10, only_open=True) == []


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
    for statement in ("SELECT id FROM usage WHERE id > 1 AND id <= 2 ORDER BY id LIMIT 2",):
        plan = await books.storage.reading()._session.all(f"EXPLAIN QUERY PLAN {statement}")  # type: ignore[attr-defined]
        assert all("SEARCH" in row[3] for row in plan), plan


async def test_refusals_and_guesses_are_counted_and_noticed(books: Books, clock: StoppedClock) -> None:
    clock.us = LATER_US
    tally = AbuseTally()
    for _ in range(250):
        tally.refused(1)
    for _ in range(100):
        tally.guessed("192.0.2.7")
    assert await watch_of(books, tally).look() == 2
    assert tally.alerts == {"refusals": 1, "guessing": 1}
    found = {alert.rule: alert.subject for alert in await abuse.list_all(books.storage, limit=10)}
    assert found == {"refusals": "key_ada", "guessing": "192.0.2.7"}
    assert await books.storage.reading().abuse.open_counts() == {"guessing": 1, "refusals": 1}


async def act(books: Books, action: AbuseAction) -> str:
    """Has the rule of refusals act on key 1. Returns the id of the alert."""
    await abuse.tune(books.storage, "refusals", action=action)
    tally = AbuseTally()
    for _ in range(250):
        tally.refused(1)
    assert await watch_of(books, tally).look() == 1
    [alert] = await abuse.list_all(books.storage, limit=1)
    return alert.public_id


async def test_suspended_key_is_revoked_until_it_is_undone(books: Books, clock: StoppedClock) -> None:
    clock.us = LATER_US
    before = (await books.storage.changes(0)).revision
    alert = await act(books, AbuseAction.SUSPEND)
    unit = books.storage.reading()
    assert (await unit.keys.get(1)).status is KeyStatus.REVOKED
    assert (await books.storage.changes(0)).revision > before, "every process sees it at the next request"
    [suspended] = await unit.abuse.suspended(1)
    assert suspended.key == "key_ada" and "refused 250 requests" in suspended.text
    [action] = (await abuse.undo(books.storage, alert)).actions
    assert action.undone_us == LATER_US
    assert (await unit.keys.get(1)).status is KeyStatus.ACTIVE
    with pytest.raises(ConflictError):
        await abuse.undo(books.storage, alert)


async def test_key_that_was_revoked_for_good_stays_so(books: Books, clock: StoppedClock) -> None:
    clock.us = LATER_US
    alert = await act(books, AbuseAction.SUSPEND)
    await keys.revoke(books.storage, "key_ada")
    with pytest.raises(ConflictError):
        await abuse.undo(books.storage, alert)
    assert (await books.storage.reading().keys.get(1)).status is KeyStatus.REVOKED


async def test_throttled_key_has_a_low_rate_for_a_day(books: Books, clock: StoppedClock) -> None:
    clock.us = LATER_US
    await books.run("UPDATE keys SET rpm = 500 WHERE id = 1")
    await act(books, AbuseAction.THROTTLE)
    unit = books.storage.reading()
    assert (await unit.keys.get(1)).limits.rpm == THROTTLED_RPM
    with pytest.raises(ConflictError, match="suspected abuse"):
        await keys.update(books.storage, "key_ada", limits={"rpm": 500})
    clock.us += THROTTLED_US - 1
    await watch_of(books).look()
    assert (await unit.keys.get(1)).limits.rpm == THROTTLED_RPM
    clock.us += 1
    await watch_of(books).look()
    assert (await unit.keys.get(1)).limits.rpm == 500


async def test_people_of_the_key_must_sign_in_again_until_it_is_undone(books: Books, clock: StoppedClock) -> None:
    clock.us = LATER_US
    await join(books.storage, 1, "ada")
    async with books.storage.writing() as unit:
        session = await unit.sessions.add(
            Session(0, "ses_one", 1, b"d" * 32, SignInMethod.PASSWORD, False, False, "", 1, 1, 1, 2**60, 2**60)
        )
    alert = await act(books, AbuseAction.REAUTHENTICATE)
    sessions = books.storage.reading().sessions
    assert await sessions.by_digest(session.digest, LATER_US) is None
    await abuse.undo(books.storage, alert)
    assert await sessions.by_digest(session.digest, LATER_US) == session


async def test_action_of_the_daemon_is_in_the_audit(books: Books, clock: StoppedClock) -> None:
    clock.us = LATER_US
    await act(books, AbuseAction.SUSPEND)
    entries = await books.storage.reading().audit.page(None, 10)
    [entry] = [entry for entry in entries if entry.action == "abuse.watch"]
    changes = changes_of(entry)
    assert [change.id for change in changes if change.kind == "key"] == ["key_ada"]
    assert [(change.after or {})["action"] for change in changes if change.kind == "abuse_action"] == ["suspend"]


async def test_operators_owners_and_endpoints_are_told_once(books: Books, clock: StoppedClock) -> None:
    clock.us = LATER_US
    await join(books.storage, 1, "ada")
    async with books.storage.writing() as unit:
        await unit.accounts.add(
            Account(0, "acc_op", "op@example.org", "op", UserRole.ADMIN, AccountStatus.ACTIVE, 1, verified_at_us=1)
        )
    await act(books, AbuseAction.SUSPEND)
    await watch_of(books).look()
    queued = await books.storage.reading().outbox.list(None, 10)
    told = sorted((each.notice.kind, each.notice.email) for each in queued)
    assert told == [(NoticeKind.ABUSE, "ada@example.org"), (NoticeKind.OPERATOR_ALERT, "op@example.org")]
    assert all("refused 250 requests" in each.notice.values["text"] for each in queued)


async def test_rule_that_is_switched_off_for_a_key_notices_nothing_of_it(books: Books, clock: StoppedClock) -> None:
    clock.us = LATER_US
    await abuse.tune(books.storage, "refusals", key="key_ada", enabled=False)
    tally = AbuseTally()
    for _ in range(250):
        tally.refused(1)
        tally.refused(2)
    await watch_of(books, tally).look()
    assert [alert.subject for alert in await abuse.list_all(books.storage, limit=10)] == ["key_bob"]


async def test_old_sums_are_purged_and_open_alerts_stay(books: Books, clock: StoppedClock) -> None:
    clock.us = LATER_US
    await act(books, AbuseAction.ALERT)
    clock.us += 500 * DAY_US
    assert await watch_of(books).purge() == 1, "the hour, and not the alert"
    [alert] = await abuse.list_all(books.storage, limit=10)
    await abuse.acknowledge(books.storage, alert.public_id)
    assert await watch_of(books).purge() == 1
