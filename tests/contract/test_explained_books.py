"""Every row of a random book is worked out again from what is stored: by `usage explain`, and by plain arithmetic."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.books import POSTED_PICO, USD, StoppedClock, make_database, make_intent, post
from support.observations import seen

from softix_proxy.dialects.core.base import RequestSpec, UsageReport
from softix_proxy.domain.core.errors import ConflictError
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.metering.usage import UsageFilter, UsageRow, UsageSource
from softix_proxy.domain.pricing.meters import INPUT_METERS, METERS
from softix_proxy.domain.pricing.prices import PriceVersion
from softix_proxy.domain.pricing.rates import STANDARD, UNKNOWN_TIER, PriceSheet
from softix_proxy.operations.catalog import models
from softix_proxy.operations.ledger.corrections import CorrectedRequest, Corrections
from softix_proxy.operations.metering import usage
from softix_proxy.operations.pricing import prices
from softix_proxy.relay.core.policy import Policy
from softix_proxy.relay.settlement.charge import HoldTerms, charge
from softix_proxy.storage.sqlite.core.engine import SqliteConnection
from softix_proxy.storage.sqlite.unit import SqliteStorage

pytestmark = pytest.mark.only_engine("sqlite", reason="posts on its connection")

USERS = ("ada", "bob")
TIERS = (STANDARD, "flex", "priority", UNKNOWN_TIER)
unit_prices = st.dictionaries(
    st.sampled_from([spec.price_key for spec in METERS.values()]),
    st.decimals(0, 50, places=4).map(lambda price: format(price, "f")),
    min_size=1,
)


@st.composite
def sheets(draw: st.DrawFn) -> PriceSheet:
    if draw(st.integers(0, 9)) == 0:
        return PriceSheet(())
    bands = [{"prices": draw(unit_prices)}]
    if draw(st.booleans()):
        bands.append({"prices": draw(unit_prices), "above_input_tokens": draw(st.integers(1, 2000))})
    if draw(st.booleans()):
        bands.append({"prices": draw(unit_prices), "service_tier": "flex"})
    return PriceSheet.parse({"bands": bands})


reports = st.builds(
    UsageReport,
    st.dictionaries(st.sampled_from(sorted(set(METERS) - {"requests"})), st.integers(0, 3000)),
    service_tier=st.sampled_from(TIERS),
)
owners = st.sampled_from(USERS)
delays = st.integers(0, 3)
steps = st.one_of(
    st.tuples(st.just("price"), sheets(), st.none() | owners, delays),
    st.tuples(
        st.just("markup"),
        st.fractions(0, 3, max_denominator=8),
        st.integers(0, USD // 1000),
        st.sampled_from(("user", "model", "default")),
        delays,
    ),
    st.tuples(st.just("request"), owners, reports, st.sampled_from(("whole", "cut", "seen", "lost", "refused"))),
    st.tuples(st.just("request"), owners, reports, st.just("whole")),
    st.tuples(st.just("reprice"), st.integers(0, 5)),
    st.tuples(st.just("state"), st.integers(0, 5), st.integers(0, USD)),
    st.tuples(st.just("recost"), st.booleans()),
)


class Book:
    def __init__(self, storage: SqliteStorage, connection: SqliteConnection, clock: StoppedClock) -> None:
        self.storage, self.connection, self.clock = storage, connection, clock
        self.number = 0

    async def price(self, sheet: PriceSheet, user: str | None, delay: int) -> None:
        await prices.set_price(self.storage, "llama", sheet, user=user, starts_at_us=self.clock.us + delay)

    async def markup(self, factor: Fraction, fee_pico: int, scope: str, delay: int) -> None:
        subject = {"user": {"user": "ada"}, "model": {"model": "llama"}}.get(scope, {})
        starts_at_us = self.clock.us + delay
        await prices.set_markup(self.storage, factor, fee_pico=fee_pico, starts_at_us=starts_at_us, **subject)

    async def request(self, owner: str, report: UsageReport, how: str) -> None:
        user_id = USERS.index(owner) + 1
        rate = (await models.priced_directory(self.storage.reading())).rate(user_id, 1, self.clock.us)
        if rate is None:
            return
        self.number += 1
        hold_pico = USD // 100 * (1 + self.number % 3)
        if (await self.storage.reading().balance.get(user_id)).available_pico < hold_pico:
            return
        more = {"price_id": rate.price_id, "started_at_us": self.clock.us}
        intent = make_intent(self.number, 0, hold_pico=hold_pico, user=user_id, **more)
        observed = {
            "whole": seen(report=report, complete=True, request_bytes=99),
            "cut": seen(report=report, request_bytes=99),
            "seen": seen(complete=True, seen_tokens=25, request_bytes=99),
            "lost": seen(),
            "refused": seen(refused=True),
        }[how]
        policy = Policy(16, "bound" if self.number % 2 else "nothing", 5.0, 1)
        terms = HoldTerms(intent, hold_pico, intent.postpaid)
        post(self.connection, [charge(RequestSpec("m"), observed, rate, terms, policy)], self.clock.us, in_full=False)

    async def _row(self, number: int) -> str | None:
        rows = [row for row in await usage.newest(self.storage, limit=100) if row.source is not UsageSource.CORRECTION]
        return format_request_id(rows[number % len(rows)].request_id) if rows else None

    async def reprice(self, number: int) -> None:
        if (found := await self._row(number)) is not None:
            await Corrections(self.storage, "a new price").reprice(found)

    async def state(self, number: int, charge_pico: int) -> None:
        if (found := await self._row(number)) is not None:
            await Corrections(self.storage, "as agreed").set_charge(found, charge_pico)

    async def recost(self, current: bool) -> None:
        """What was made by this version is right by the prices of its time: only `current` finds something."""
        recost = Corrections(self.storage, "costs").recost(None, Span(0, 2**62), None, current=current, dry=False)
        posted = [one async for one in recost if isinstance(one, CorrectedRequest) and one.correction is not None]
        assert current or not posted


def plain(row: UsageRow, sheet: dict[str, Any], markup: Fraction, fee_pico: int) -> int:
    """Without any of the code that made the charge, and the cost."""
    if "free" in sheet:
        return 0
    bands = [band for band in sheet["bands"] if band["service_tier"] == row.service_tier] or [
        band for band in sheet["bands"] if band["service_tier"] == STANDARD
    ]
    asked = sum(quantity for name, quantity in row.meters.items() if name in INPUT_METERS)
    reached = [band for band in bands if not band["above_input_tokens"] or asked > band["above_input_tokens"]]
    band = max(reached, key=lambda band: band["above_input_tokens"])["prices"]
    amount_pico = fee_pico
    for name, quantity in row.meters.items():
        meter: str | None = name
        while meter is not None and METERS[meter].price_key not in band:
            meter = METERS[meter].fallback
        if meter is not None:
            usd = Fraction(Decimal(band[METERS[meter].price_key])) / METERS[meter].per * quantity * markup
            amount_pico += round(usd * USD)  # half to even
    return amount_pico


def plain_cost(row: UsageRow, versions: Mapping[int, PriceVersion]) -> int:
    """By the price that applied to all when the request was made: operator's before catalogue's, never a customer's."""
    started = [one for one in versions.values() if one.user_id is None and one.starts_at_us <= row.usage_at_us]
    latest = max(started, key=lambda one: (one.source == "operator", one.starts_at_us, one.id), default=None)
    assert latest is not None, "each story begins with a price for all"
    return plain(row, latest.sheet.dump(), Fraction(1), 0)


async def check(storage: SqliteStorage) -> None:
    unit = storage.reading()
    versions = {version.id: version for version in await unit.prices.list()}
    rows = await unit.usage.after(UsageFilter(), 0, 1000)
    for row in rows:
        explained = await usage.explain(storage, format_request_id(row.request_id))
        assert explained.agrees, json.dumps(explained.row.meters)
        if row.source in (UsageSource.PROVIDER, UsageSource.PARTIAL, UsageSource.ESTIMATE):
            assert row.price_id is not None
            charge_pico = plain(row, versions[row.price_id].sheet.dump(), row.markup, row.fee_pico)
            if explained.limited:
                assert row.hold_pico <= row.charge_pico < charge_pico
            else:
                assert row.charge_pico == charge_pico
            assert row.cost_pico == plain_cost(row, versions)
            assert explained.final_cost_pico == row.cost_pico + sum(
                one.cost_pico for one in rows if one.corrects_row_id == row.id
            )
            assert explained.final_pico == row.charge_pico + sum(
                one.charge_pico for one in rows if one.corrects_row_id == row.id
            )
    for number, _ in enumerate(USERS, 1):
        charged_pico = sum(row.charge_pico for row in rows if row.user_id == number)
        assert (await unit.balance.get(number)).posted_pico == POSTED_PICO - charged_pico
    async with storage.snapshot() as frozen:
        assert (await frozen.ledger.verify()).violations == ()


async def write(folder: Path, story: list[tuple[Any, ...]]) -> None:
    clock = StoppedClock()
    database = await make_database(folder, clock).open()
    book = Book(SqliteStorage(database), database.connect(), clock)
    try:
        for step, *arguments in story:
            clock.us += 1
            try:
                await getattr(book, step)(*arguments)
            except ConflictError:
                continue  # no price yet, or a balance that does not cover the correction
        await check(book.storage)
    finally:
        book.connection.close()
        await database.close()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(steps, min_size=4, max_size=16), sheets())
async def test_explanation_of_every_row_of_random_books_agrees(story: list[tuple[Any, ...]], first: PriceSheet) -> None:
    with tempfile.TemporaryDirectory() as folder:
        await write(Path(folder), [("price", first, None, 0), *story])
