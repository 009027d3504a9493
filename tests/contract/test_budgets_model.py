"""Requests of several keys through two processes' journals, in any interleaving with corrections, changed owners and
changed budgets, against a plain model: a list of charges and a list of holds.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from support.books import NOW_US, StoppedClock, make_database, make_intent, make_settlement
from support.organisation import join, project

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.core.calendar import Today, calendar
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.metering.admission import Admitted, Denied, Intent
from softix_proxy.domain.metering.budgets import Budget
from softix_proxy.domain.metering.usage import Correction
from softix_proxy.domain.organisations.key_owners import KeyOwner
from softix_proxy.domain.organisations.organisations import OPERATOR
from softix_proxy.jobs.recovery import close_orphans
from softix_proxy.operations.metering import budgets
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage
from softix_proxy.storage.sqlite.write_path import journal
from softix_proxy.storage.sqlite.write_path.journal import SqliteJournal

pytestmark = pytest.mark.only_engine("sqlite", reason="opens journals of two slots on its file")

KEYS = (1, 3, 4)
STEPS = 60
UTC = calendar("UTC")


@dataclass
class Charge:
    request_id: int
    owner: KeyOwner
    posted_us: int
    pico: int


@dataclass
class Model:
    """What the books must say, from the results that softix gave."""

    owners: dict[int, KeyOwner] = field(default_factory=lambda: dict.fromkeys(KEYS, KeyOwner()))
    open: dict[int, tuple[Intent, int]] = field(default_factory=dict)
    """Request → its intent and hold."""
    charges: list[Charge] = field(default_factory=list)

    def held(self, budget: Budget) -> int:
        return sum(hold for intent, hold in self.open.values() if belongs(self.owners[intent.key_id], budget))

    def spent(self, budget: Budget, today: Today) -> int:
        span = range(today.start_us(budget.period), today.end_us_of(budget.period))
        return sum(each.pico for each in self.charges if belongs(each.owner, budget) and each.posted_us in span)


def belongs(owner: KeyOwner, budget: Budget) -> bool:
    if budget.project_id is not None:
        return owner.project_id == budget.project_id
    return owner.account_id == budget.account_id


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
async def database(tmp_path: Path, clock: StoppedClock) -> AsyncIterator[Database]:
    database = await make_database(tmp_path, clock).open()
    await database.session.run(
        "INSERT INTO keys (id, public_id, user_id, prefix, digest, created_at_us) VALUES"
        " (3, 'key_three', 1, 'sx_live_c', x'03', 1), (4, 'key_four', 1, 'sx_live_d', x'04', 1)"
    )
    yield database
    await database.close()


class Run:
    """One life of an organisation, with two daemons."""

    def __init__(self, database: Database, clock: StoppedClock, journals: list[SqliteJournal], seed: int) -> None:
        self.random = random.Random(seed)
        self.storage, self.clock, self.journals = SqliteStorage(database), clock, journals
        self.model, self.number, self.refused = Model(), 0, 0
        self.ids: dict[str, int] = {}

    async def begin(self) -> None:
        for name in ("bot", "desk"):
            self.ids[f"prj_{name}"] = (await project(self.storage, name)).id
        for name in ("alan", "grace"):
            self.ids[f"acc_{name}"] = (await join(self.storage, name, OrganisationRole.MEMBER)).account_id

    async def budgets(self) -> list[Budget]:
        return list(await self.storage.reading().budgets.list())

    async def requests(self) -> None:
        """Some requests begin and some end, all at once, in both daemons."""
        before = {budget.id: self.room(budget) for budget in await self.budgets()}
        amounts = await self.budgets()
        revision = (await self.storage.changes(0)).revision
        ending = self.random.sample(sorted(self.model.open), min(len(self.model.open), self.random.randrange(4)))
        intents = [self.intent(revision) for _ in range(self.random.randrange(6))]
        released = sum(self.model.open[number][1] for number in ending)
        work: list[Any] = [self.admit(intent) for intent in intents] + [self.settle(number) for number in ending]
        self.random.shuffle(work)
        results = await asyncio.gather(*work)
        for budget in amounts:
            assert self.room(budget) >= min(before[budget.id], 0), "spent and held are never above the amount"
        for intent, denied in results:
            if isinstance(denied, Denied):
                self.refused += 1
                owner = self.model.owners[intent.key_id]
                least = min(before[budget.id] for budget in amounts if belongs(owner, budget))
                assert denied.code is Code.BUDGET_REACHED and denied.needed_pico > denied.available_pico
                assert denied.available_pico <= max(least, 0) + released, "it was refused although there was room"
                assert denied.retry_after_us is not None and denied.retry_after_us > 0

    def room(self, budget: Budget) -> int:
        today = UTC.at(self.clock.us)
        return budget.amount_pico - self.model.spent(budget, today) - self.model.held(budget)

    def intent(self, revision: int) -> Intent:
        self.number += 1
        return make_intent(
            self.number, revision, hold_pico=self.random.randrange(1, 400), key_id=self.random.choice(KEYS)
        )

    async def admit(self, intent: Intent) -> tuple[Intent, object]:
        decision = await self.random.choice(self.journals).admit(intent)
        if isinstance(decision, Admitted):
            self.model.open[intent.request_id] = intent, decision.hold_pico
        return intent, decision

    async def settle(self, number: int) -> tuple[Intent, object]:
        intent, hold_pico = self.model.open[number]
        charge_pico = self.random.randrange(hold_pico + 1)
        settlement = make_settlement(intent, hold_pico=hold_pico, charge_pico=charge_pico)
        for _ in range(self.random.choice((1, 2))):  # a repeated settlement changes nothing
            settled = await self.random.choice(self.journals).settle(settlement)
            assert settled is not None
        del self.model.open[number]
        self.model.charges.append(Charge(number, self.model.owners[intent.key_id], settled.usage_id, charge_pico))
        return intent, settled

    async def change_owner(self) -> None:
        key_id = self.random.choice(KEYS)
        account = self.random.choice((None, "acc_alan", "acc_grace"))
        project_ = self.random.choice((None, "prj_bot", "prj_desk"))
        owner = KeyOwner(account and self.ids[account], project_ and self.ids[project_])
        async with self.storage.writing() as unit:
            await unit.key_owners.set(key_id, owner)
        self.model.owners[key_id] = owner

    async def set_budget(self) -> None:
        subject = self.random.choice(
            ({"project": "bot"}, {"project": "desk"}, {"member": "acc_alan"}, {"member": "acc_grace"})
        )
        period = self.random.choice(("day", "week", "month"))
        amount_pico = self.random.randrange(200, 3000)
        await budgets.set_to(self.storage, "ada", amount_pico, period, OPERATOR, **subject)  # type: ignore[arg-type]

    async def remove_budget(self) -> None:
        for budget in (await self.budgets())[:1]:
            await budgets.remove(self.storage, "ada", budget.public_id, OPERATOR)

    async def correct(self) -> None:
        if not self.model.charges:
            return
        charge = self.random.choice(self.model.charges)
        difference_pico = self.random.randrange(-charge.pico, 50)
        async with self.storage.writing() as unit:
            row = await unit.usage.by_request(charge.request_id)
            assert row is not None
            await unit.ledger.correct(
                Correction(row, 10**9, 0, difference_pico, price_id=None, markup=Fraction(1), fee_pico=0, note="agreed")
            )
        charge.pico += difference_pico

    async def crash(self) -> None:
        """What both daemons left open is closed, and costs nothing."""
        for each in self.journals:
            await close_orphans(each, "nothing", at_start=True)
        for number, (intent, _) in self.model.open.items():
            self.model.charges.append(Charge(number, self.model.owners[intent.key_id], self.clock.us, 0))
        self.model.open.clear()

    async def pass_time(self) -> None:
        self.clock.us += self.random.choice((1, 1000, DAY_US // 3, DAY_US))

    async def check(self) -> None:
        async with self.storage.snapshot() as unit:
            assert (await unit.ledger.verify()).violations == ()
            today = await unit.budgets.today()
            for budget in await unit.budgets.list():
                found = budget.state().spent_in(today), budget.held_pico
                assert found == (self.model.spent(budget, today), self.model.held(budget)), budget.public_id


@pytest.mark.parametrize("seed", range(6))
async def test_budgets_after_random_interleavings_agree_with_a_plain_model(
    database: Database, clock: StoppedClock, seed: int
) -> None:
    async with AsyncExitStack() as stack:
        journals = [await stack.enter_async_context(journal.opened(database, clock)) for _ in range(2)]
        run = Run(database, clock, journals, seed)
        await run.begin()
        steps = [run.requests] * 6 + [run.change_owner, run.set_budget, run.correct, run.pass_time] * 2
        steps += [run.remove_budget, run.crash]
        for _ in range(STEPS):
            clock.us += 1
            await run.random.choice(steps)()
            await run.check()
        assert clock.us > NOW_US and run.model.charges and run.refused
