"""Holds, settlements, top-ups, failed commits and crashes in any order, against a plain model of the ledger."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule, run_state_machine_as_test

from softix_proxy.domain.access.keys import Key, KeyLimits, KeyStatus
from softix_proxy.domain.access.users import User, UserRole, UserStatus
from softix_proxy.domain.core.clock import SystemClock
from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.core.ids import RequestIds
from softix_proxy.domain.metering.admission import Admitted, Denied, Intent
from softix_proxy.domain.metering.bounds import Bound
from softix_proxy.domain.metering.settlement import Settlement
from softix_proxy.domain.metering.usage import UsageSource
from softix_proxy.jobs.recovery import close_orphans
from softix_proxy.operations.ledger import balance
from softix_proxy.storage.sqlite.core import slots
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.core.engine import DatabaseError
from softix_proxy.storage.sqlite.unit import SqliteStorage
from softix_proxy.storage.sqlite.write_path.journal import SqliteJournal

pytestmark = pytest.mark.only_engine("sqlite", reason="lets commits of its connection fail")

T = TypeVar("T")
USERS = ("ada", "bob")
AMOUNTS = st.integers(1, 10**12)


class Failing:
    """A connection whose next commit fails: before it is done, or after, which nobody can tell apart."""

    plan: list[str] = []  # noqa: RUF012 - shared by every connection of the test, and emptied by each machine

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def execute(self, statement: str, *values: Any) -> Any:
        if statement != "COMMIT" or not self.plan:
            return self._connection.execute(statement, *values)
        if self.plan.pop(0) == "after":
            self._connection.execute(statement)
        raise DatabaseError("disk I/O error")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class Shaky(Database):
    def connect(self) -> Any:
        return Failing(super().connect())


@dataclass
class Open:
    intent: Intent
    user: str
    hold_pico: int


class Books(RuleBasedStateMachine):
    requests = Bundle("requests")

    def __init__(self) -> None:
        super().__init__()
        Failing.plan.clear()
        self.folder = tempfile.TemporaryDirectory()
        self.loop = asyncio.new_event_loop()
        self.clock = SystemClock()
        self.posted = dict.fromkeys(USERS, 0)
        self.credit = dict.fromkeys(USERS, 0)
        self.open: dict[int, Open] = {}
        self.settled: set[int] = set()
        self.path = Path(self.folder.name) / "softix.db"
        self.loop.run_until_complete(self._set_up())

    async def _set_up(self) -> None:
        self.database = Database(self.path, self.clock)
        self.database.create()
        await self.database.open()
        self.storage = SqliteStorage(self.database)
        self.users: dict[str, tuple[User, Key]] = {}
        async with self.storage.writing() as unit:
            for number, name in enumerate(USERS):
                user = User(0, f"usr_{name}", name, f"{name}@example.org", UserRole.USER, UserStatus.ACTIVE, False, 1)
                user = await unit.users.add(user)
                key = Key(
                    0, f"key_{name}", user.id, "", "sx", b"%d" % number, (), (), KeyLimits(), KeyStatus.ACTIVE, None, 1
                )
                self.users[name] = user, await unit.keys.add(key)
        await self._begin()

    async def _begin(self) -> None:
        """A process: a slot, a writer, ids of its own."""
        self.slot = slots.acquire(self.path)
        self.ids = RequestIds(self.slot.number)
        self.journal = SqliteJournal(Shaky(self.path, self.clock), self.slot.number, self.clock)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    async def _revision(self) -> int:
        return (await self.storage.changes(0)).revision

    def available(self, user: str) -> int:
        held = sum(request.hold_pico for request in self.open.values() if request.user == user)
        return self.posted[user] - held + self.credit[user]

    @rule(user=st.sampled_from(USERS), amount=AMOUNTS, reference=st.none() | st.sampled_from(("a", "b")))
    def top_up(self, user: str, amount: int, reference: str | None) -> None:
        reference = reference and f"{reference}-{user}-{amount}"
        if self.run(balance.add(self.storage, f"{user}@example.org", amount, reference=reference)):
            self.posted[user] += amount
        else:
            assert reference is not None

    @rule(user=st.sampled_from(USERS), amount=st.integers(-(10**11), 10**12))
    def set_balance(self, user: str, amount: int) -> None:
        assert self.run(balance.set_to(self.storage, f"{user}@example.org", amount)) == amount - self.posted[user]
        self.posted[user] = amount

    @rule(user=st.sampled_from(USERS), amount=st.integers(0, 10**11))
    def set_credit(self, user: str, amount: int) -> None:
        self.run(balance.set_credit_limit(self.storage, f"{user}@example.org", amount))
        self.credit[user] = amount

    @rule(when=st.sampled_from(("before", "after")))
    def fail_a_commit(self, when: str) -> None:
        Failing.plan.append(when)

    @rule(
        target=requests,
        user=st.sampled_from(USERS),
        fixed=st.integers(0, 10**11),
        token=st.integers(0, 10**8),
        tokens=st.integers(0, 1000),
        adjustable=st.booleans(),
    )
    def admit(self, user: str, fixed: int, token: int, tokens: int, adjustable: bool) -> int | None:
        bound = Bound(fixed, token, 3, tokens, adjustable)
        owner, key = self.users[user]
        intent = Intent(
            self.ids.next(self.clock.now_us()),
            self.run(self._revision()),
            owner.id,
            False,
            key.id,
            key.limits,
            1,
            1,
            None,
            "chat",
            False,
            bound,
            0,
            self.clock.now_us(),
        )
        funds = self.available(user)
        try:
            decision = self.run(self.journal.admit(intent))
        except RefusedError as error:
            assert error.code is Code.STORAGE_UNAVAILABLE  # and nothing stays held: the invariant sees it
            return None
        if isinstance(decision, Denied):
            assert bound.hold_pico(tokens) > funds
            return None
        assert isinstance(decision, Admitted)
        assert decision.hold_pico <= max(funds, 0)
        written = tokens if decision.output_limit is None else decision.output_limit
        assert decision.hold_pico == bound.hold_pico(written)
        self.open[intent.request_id] = Open(intent, user, decision.hold_pico)
        return intent.request_id

    @rule(number=consumes(requests), part=st.fractions(0, 3), again=st.booleans())
    def settle(self, number: int | None, part: Any, again: bool) -> None:
        request = self.open.get(number or 0)
        if request is None:
            return
        asked = int(request.hold_pico * part)
        charge = min(asked, request.hold_pico + max(self.available(request.user), 0))
        settlement = Settlement(
            request.intent, request.hold_pico, 0, UsageSource.PROVIDER, 200, cost_pico=asked, charge_pico=asked
        )
        first = self.run(self.journal.settle(settlement))
        assert first is not None and first.charge_pico == charge
        if again:
            second = self.run(self.journal.settle(settlement))
            assert second is not None and (second.usage_id, second.charge_pico) == (first.usage_id, charge)
        del self.open[request.intent.request_id]
        self.posted[request.user] -= charge
        self.settled.add(request.intent.request_id)

    @rule()
    def crash(self) -> None:
        """The process is gone with all that it had in memory; the next one closes what it left."""
        Failing.plan.clear()
        self.run(self._quiet())  # else it may leave what it had refused and was about to take back
        self.slot.release()
        abandoned, old = set(self.open), self.journal
        self.run(self._begin())
        assert self.run(close_orphans(self.journal, "nothing", at_start=True)) == len(abandoned)
        assert self.run(close_orphans(self.journal, "nothing", at_start=True)) == 0
        self.run(old.close())
        self.settled |= abandoned
        self.open.clear()

    @invariant()
    def the_books_are_the_models(self) -> None:
        if not Failing.plan:  # else it is still to be seen what comes of that
            self.run(self._check())

    async def _check(self) -> None:
        await self._quiet()
        async with self.storage.snapshot() as unit:
            verdict = await unit.ledger.verify()
            assert verdict.violations == ()
            assert (verdict.usage_rows, verdict.open_holds) == (len(self.settled), len(self.open))
            for name, (user, _) in self.users.items():
                wallet = await unit.balance.get(user.id)
                assert (wallet.posted_pico, wallet.credit_pico) == (self.posted[name], self.credit[name])
                assert wallet.available_pico == self.available(name)

    async def _quiet(self) -> None:
        """Until what is to be taken back is taken back: who is told of a refusal does not wait for that."""
        user, key = self.users["ada"]
        unknown = Intent(1, 0, user.id, False, key.id, key.limits, 1, 1, None, "chat", False, Bound(), 0, 1)
        assert await self.journal.settle(Settlement(unknown, 0, 0, UsageSource.NONE, 200)) is None

    def teardown(self) -> None:
        Failing.plan.clear()
        self.run(self.journal.close())
        self.run(self.database.close())
        self.slot.release()
        self.loop.close()
        self.folder.cleanup()


def test_books_after_random_operations_agree_with_a_plain_model() -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Books,
        settings=settings(
            max_examples=40,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
