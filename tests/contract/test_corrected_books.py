"""Corrections of every kind, a clock that was wrong, closed periods and zones in any order, against a plain model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from support.books import POSTED_PICO, StoppedClock, make_database, make_intent, make_settlement, post

from softix_proxy.domain.core.calendar import Calendar
from softix_proxy.domain.core.clock import DAY_US, SECOND_US, parse_instant
from softix_proxy.domain.core.errors import ConflictError
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.ledger.redating import BOOKED, REDATED
from softix_proxy.domain.metering.explanation import Explained
from softix_proxy.domain.metering.usage import UsageFilter, UsageRow, UsageSource
from softix_proxy.domain.pricing.rates import PriceBand, PriceSheet
from softix_proxy.operations.catalog import models
from softix_proxy.operations.ledger import periods, redating
from softix_proxy.operations.ledger.corrections import CorrectedRequest, Corrections
from softix_proxy.operations.metering import usage
from softix_proxy.operations.pricing import prices
from softix_proxy.storage.sqlite.core.engine import SqliteConnection
from softix_proxy.storage.sqlite.unit import SqliteStorage

pytestmark = pytest.mark.only_engine("sqlite", reason="posts on its connection, at any time of the clock")

START_US = parse_instant("2026-10-05T12:00:00Z")
EVER = Span(0, 2**62)
USERS = ("ada", "bob")
ZONES = ("UTC", "Asia/Kolkata", "America/New_York", "Pacific/Apia")
TIERS = ("standard", "fast", "fast+us")


@dataclass
class Right:
    """What a request should stand at in the end."""

    user: str
    tokens: int
    tier: str
    charge_pico: int
    cost_pico: int
    failed_pico: int = 0


class Books:
    def __init__(
        self, storage: SqliteStorage, connection: SqliteConnection, clock: StoppedClock, random: Random
    ) -> None:
        self.storage, self.connection, self.clock, self.random = storage, connection, clock, random
        self.rights: dict[int, Right] = {}
        self.stated: set[int] = set()
        """Requests whose charge an operator has named."""
        self.operator: dict[str, int] = {}
        """Tier → USD a million tokens."""
        self.customers: dict[str, dict[str, int]] = {}
        self.ahead_us = 0

    # What is done

    async def price(self) -> None:
        sheet = {"standard": self.random.randint(1, 9)}
        if self.random.random() < 0.6:
            sheet["fast"] = self.random.randint(10, 19)
        if self.random.random() < 0.4:
            sheet["fast+us"] = self.random.randint(20, 29)
        user = self.random.choice((None, "ada")) if self.operator else None
        bands = [PriceBand({"input_tokens": Decimal(price)}, 0, tier) for tier, price in sheet.items()]
        await prices.set_price(self.storage, "llama", PriceSheet(tuple(bands)), user=user)
        if user is None:
            self.operator = sheet
        else:
            self.customers[user] = sheet

    async def request(self) -> None:
        user, tier = self.random.choice(USERS), self.random.choice(TIERS)
        tokens, number = self.random.randint(1, 9000), len(self.rights) + 1
        user_id = USERS.index(user) + 1
        rate = (await models.priced_directory(self.storage.reading())).rate(user_id, 1, self.clock.us)
        assert rate is not None
        meters = {"input_tokens": tokens}
        cost_pico, charge_pico, _ = rate.price(meters, tier)
        assert (cost_pico, charge_pico) == self.now(user, tokens, tier)
        more = {"price_id": rate.price_id, "started_at_us": self.clock.us}
        told = {"cost_pico": cost_pico, "cost_price_id": rate.cost_price_id, "meters": meters, "service_tier": tier}
        intent = make_intent(number, 0, hold_pico=10**11, user=user_id, **more)
        post(self.connection, [make_settlement(intent, charge_pico=charge_pico, **told)], self.clock.us)
        self.rights[number] = Right(user, tokens, tier, charge_pico, cost_pico)

    def now(self, user: str, tokens: int, tier: str) -> tuple[int, int]:
        """(Cost, charge) by the prices in force."""
        nearest = ("fast+us", "fast", "standard")
        names = nearest[nearest.index(tier) :]
        cost_usd, charge_usd = (
            next(sheet[name] for name in names if name in sheet)
            for sheet in (self.operator, self.customers.get(user, self.operator))
        )
        return tokens * 10**6 * cost_usd, tokens * 10**6 * charge_usd

    def _any(self) -> int:
        return self.random.randint(1, len(self.rights))

    async def state(self) -> None:
        number, charge_pico = self._any(), self.random.randrange(10**11)
        await Corrections(self.storage, "as agreed").set_charge(format_request_id(number), charge_pico)
        self.rights[number].charge_pico = charge_pico
        self.stated.add(number)

    async def reprice(self) -> None:
        number = self._any()
        await Corrections(self.storage, "a new price").reprice(format_request_id(number))
        right = self.rights[number]
        right.cost_pico, right.charge_pico = self.now(right.user, right.tokens, right.tier)

    async def recost(self) -> None:
        recost = Corrections(self.storage, "costs").recost(None, EVER, None, current=False, dry=False)
        done = [one async for one in recost]
        assert not [one for one in done if isinstance(one, CorrectedRequest) and one.correction is not None]

    async def recost_now(self) -> None:
        recost = Corrections(self.storage, "costs").recost(None, EVER, None, current=True, dry=False)
        async for _ in recost:
            pass
        for right in self.rights.values():
            right.cost_pico, _ = self.now(right.user, right.tokens, right.tier)

    async def jump(self) -> None:
        if self.ahead_us:
            self.clock.us -= self.ahead_us
            self.ahead_us = 0
        else:
            self.ahead_us = self.random.randint(2, 400) * DAY_US
            self.clock.us += self.ahead_us

    async def redate(self) -> None:
        if self.ahead_us:
            return
        ahead_us = self.random.choice((None, self.random.randint(2, 400) * DAY_US))
        span = self.random.choice((None, None, Span(self.clock.us - 3 * DAY_US, self.clock.us)))
        dry = [one async for one in redating.run(self.storage, span, ahead_us, note="clock", dry=True)]
        done = [one async for one in redating.run(self.storage, span, ahead_us, note="clock", dry=False)]
        assert [one.misdated for one in dry] == [one.misdated for one in done]
        if span is None:
            assert [one async for one in redating.run(self.storage, span, ahead_us, note="clock", dry=True)] == []

    async def close(self) -> None:
        closed = await periods.list_all(self.storage)
        from_us = max((one.span.to_us for one in closed), default=0)
        to_us = self.clock.us - self.random.randint(0, 2) * DAY_US
        if not self.ahead_us and from_us < to_us:
            label = f"period {len(closed)}"
            await periods.close(self.storage, periods.Closing(label, "UTC", Span(from_us, to_us)))

    async def zone(self) -> None:
        async with self.storage.writing() as unit:
            await unit.usage.change_zone(self.random.choice(ZONES))

    # What must be true

    async def check(self) -> None:
        unit = self.storage.reading()
        rows = await unit.usage.after(UsageFilter(), 0, 10_000)
        total = sum(right.charge_pico for right in self.rights.values())
        costs = sum(right.cost_pico for right in self.rights.values())
        assert (sum(row.charge_pico for row in rows), sum(row.cost_pico for row in rows)) == (total, costs)
        async with self.storage.snapshot() as frozen:
            assert (await frozen.ledger.verify()).violations == ()
            assert (await periods.verify(frozen))[1] == []
        for row in rows:
            explained = await usage.explain(self.storage, format_request_id(row.request_id))
            assert explained.agrees
            self._check_explained(explained)
        for number, right in self.rights.items():
            explained = await usage.explain(self.storage, format_request_id(number))
            assert (explained.final_pico, explained.final_cost_pico) == (right.charge_pico, right.cost_pico)
        for zone in ZONES:
            days = await unit.usage.totals("day", 0, 10**6, Calendar(zone))
            assert sum(day.charge_pico for day in days) == total and sum(day.cost_pico for day in days) == costs
            assert sum(day.input_tokens for day in days) == sum(right.tokens for right in self.rights.values())
        billed: dict[int, int] = {}
        async for cost in unit.usage.daily_costs("lab", 0, 10**6):
            billed[cost.day] = billed.get(cost.day, 0) + cost.cost_pico
        assert {day: pico for day, pico in billed.items() if pico} == self._costs_by_day(rows)
        postings = [one async for portion in unit.ledger.postings(EVER, None) for one in portion.postings]
        moved = [one for one in postings if one.kind in ("charge", "correction")]
        assert (-sum(one.wallet_pico for one in moved), sum(one.cost_pico for one in moved)) == (total, costs)
        for number, user in enumerate(USERS, 1):
            spent_pico = sum(right.charge_pico for right in self.rights.values() if right.user == user)
            assert (await unit.balance.get(number)).posted_pico == POSTED_PICO - spent_pico
            assert (await unit.keys.spend(number)).total_pico == spent_pico

    def _costs_by_day(self, rows: Sequence[UsageRow]) -> dict[int, int]:
        """As a provider bills: each request on the day on which it is booked, with all that corrects it."""
        numbers = {row.request_id: row.id for row in rows if row.corrects_row_id is None}
        booked = {
            row.corrects_row_id: row.id
            for row in rows
            if (row.note or "").startswith(BOOKED) and any(row.meters.values())
        }
        found: dict[int, int] = {}
        for number, right in self.rights.items():
            day = booked.get(numbers[number], numbers[number]) // DAY_US
            found[day] = found.get(day, 0) + right.cost_pico
        return {day: pico for day, pico in found.items() if pico}

    def _check_explained(self, explained: Explained) -> None:
        row = explained.row
        if row.source is UsageSource.CORRECTION and not (row.note or "").startswith((REDATED, "as agreed")):
            assert not explained.stated, "it can be worked out"


STEPS = ("request",) * 5 + (
    "price",
    "state",
    "reprice",
    "recost",
    "recost_now",
    "jump",
    "jump",
    "redate",
    "redate",
    "close",
    "zone",
)


@pytest.mark.parametrize("seed", range(12))
async def test_books_after_random_corrections_and_redatings_equal_those_of_a_plain_model(
    tmp_path: Path, seed: int
) -> None:
    random, clock = Random(seed), StoppedClock(START_US)
    database = await make_database(tmp_path, clock).open()
    connection = database.connect()
    books = Books(SqliteStorage(database), connection, clock, random)
    story = ["price", "request", "request"]
    told = []
    try:
        for step in [*story, *random.choices(STEPS, k=25)]:
            clock.us += random.choice((1, SECOND_US, 3600 * SECOND_US, DAY_US))
            told.append(step)
            try:
                await getattr(books, step)()
            except ConflictError as error:
                told.append(str(error))
                continue
            try:
                await books.check()
            except AssertionError:
                print(told)
                raise
    finally:
        connection.close()
        await database.close()
