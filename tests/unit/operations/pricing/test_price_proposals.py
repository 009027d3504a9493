from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from support.books import NOW_US, StoppedClock, make_database

from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.errors import BadInputError, ConflictError, NotFoundError
from softix_proxy.domain.pricing.price_changes import UnitPriceChange
from softix_proxy.domain.pricing.rates import PriceSheet
from softix_proxy.imports.price_list import PriceRow
from softix_proxy.operations.catalog.catalogue import AnnouncedPrice, Catalogue, CatalogueModel
from softix_proxy.operations.pricing import price_proposals as proposals
from softix_proxy.operations.pricing import prices
from softix_proxy.storage.sqlite.unit import SqliteStorage


def sheet(**usd: str) -> PriceSheet:
    return PriceSheet.parse({"bands": [{"prices": usd}]})


def row(model: str = "llama", user: str | None = None, starts_at_us: int | None = None, **usd: str) -> PriceRow:
    return PriceRow("line 2", model, user, starts_at_us, sheet(**usd))


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
async def storage(tmp_path: Path, clock: StoppedClock) -> AsyncIterator[SqliteStorage]:
    database = await make_database(tmp_path, clock).open()
    yield SqliteStorage(database)
    await database.close()


async def test_price_proposal_when_approved_comes_into_force(storage: SqliteStorage) -> None:
    await prices.set_price(storage, "llama", sheet(input="2.00", output="8.00"))
    imported = await proposals.import_rows(storage, [row(input="1.50", output="8.00")], "p.csv")
    [proposed] = imported.proposed
    assert proposed.changes == [UnitPriceChange("standard", 0, "input", Decimal("2.00"), Decimal("1.50"))]
    assert (await prices.show(storage, "llama")).listed.version.sheet == sheet(input="2.00", output="8.00")
    assert await proposals.pending(storage) == imported.proposed and await proposals.count(storage) == 1
    assert await proposals.approve(storage, ["lab/llama"]) == imported.proposed
    assert (await prices.show(storage, "llama")).listed.version.sheet == sheet(input="1.50", output="8.00")
    assert await proposals.pending(storage) == [] and await proposals.count(storage) == 0


async def test_price_import_with_the_price_in_force_proposes_nothing(storage: SqliteStorage) -> None:
    await prices.set_price(storage, "llama", sheet(input="2.00"))
    imported = await proposals.import_rows(storage, [row(input="2.00")], "p.csv")
    assert (imported.proposed, imported.unchanged) == ([], 1)


async def test_price_import_after_an_earlier_one_replaces_its_proposals(storage: SqliteStorage) -> None:
    for usd in ("1", "3"):
        await proposals.import_rows(storage, [row(input=usd)], "p.csv")
    await proposals.import_rows(storage, [row(user="ada", input="2")], "p.csv")
    waiting = await proposals.pending(storage)
    assert [(one.proposal.source, one.proposal.sheet) for one in waiting] == [
        ("operator", sheet(input="3")),
        ("customer", sheet(input="2")),
    ]


async def test_price_proposal_with_a_future_start_starts_then(storage: SqliteStorage) -> None:
    await proposals.import_rows(storage, [row(input="1", starts_at_us=NOW_US + DAY_US)], "p.csv")
    await proposals.approve(storage, [])
    [listed] = await prices.history(storage, "llama")
    assert (listed.version.starts_at_us, listed.state) == (NOW_US + DAY_US, prices.PriceState.UPCOMING)


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (row("gpt", input="1"), "p.csv line 2: no model 'gpt'"),
        (row(user="eve", input="1"), "p.csv line 2: no user"),
        (row(input="1", starts_at_us=NOW_US - 1), "p.csv line 2: starts_at is over"),
    ],
)
async def test_price_import_with_one_bad_row_proposes_nothing(storage: SqliteStorage, bad: PriceRow, told: str) -> None:
    with pytest.raises(BadInputError) as raised:
        await proposals.import_rows(storage, [row(input="1"), bad], "p.csv")
    assert raised.value.message.startswith(told)
    assert await proposals.pending(storage) == []


async def test_price_proposal_when_rejected_is_gone(storage: SqliteStorage) -> None:
    await proposals.import_rows(storage, [row(input="1")], "p.csv")
    assert len(await proposals.reject(storage, ["llama"])) == 1
    assert await proposals.pending(storage) == []
    for verb in (proposals.approve, proposals.reject):
        with pytest.raises(NotFoundError, match="no price of 'llama'"):
            await verb(storage, ["llama"])


class Shipped(Catalogue):
    """With two models of one price, and what is announced."""

    def __init__(self, usd: str, *later: AnnouncedPrice) -> None:
        super().__init__("2026.11.23", "", "", {})
        text = f'{{"bands": [{{"prices": {{"input": "{usd}"}}}}]}}'
        object.__setattr__(
            self, "known", tuple(CatalogueModel("demo", name, None, None, text, later) for name in ("llama", "llama-2"))
        )

    def models(self, provider_type: str) -> tuple[CatalogueModel, ...]:
        known: tuple[CatalogueModel, ...] = self.known  # type: ignore[attr-defined]
        return known if provider_type == "demo" else ()


async def test_catalogue_import_with_an_announced_price_proposes_it_from_its_day(
    storage: SqliteStorage, clock: StoppedClock
) -> None:
    dearer = AnnouncedPrice(clock.us + DAY_US, '{"bands": [{"prices": {"input": "3"}}]}')
    first = await proposals.import_catalogue(storage, Shipped("1", dearer))
    assert [(one.proposal.starts_at_us, one.changes[0].old, one.changes[0].new) for one in first.proposed] == [
        (None, None, Decimal(1)),
        (dearer.starts_at_us, Decimal(1), Decimal(3)),
    ]
    assert len(await proposals.approve(storage, ["llama"])) == 2
    assert (await proposals.import_catalogue(storage, Shipped("1", dearer))).unchanged == 2
    assert (await prices.show(storage, "llama")).listed.version.sheet == sheet(input="1")
    clock.us += DAY_US
    assert (await prices.show(storage, "llama")).listed.version.sheet == sheet(input="3")
    assert (await proposals.import_catalogue(storage, Shipped("1", dearer))).unchanged == 1


async def test_price_import_with_several_starts_proposes_each(storage: SqliteStorage, clock: StoppedClock) -> None:
    rows = [
        PriceRow("line 2", "llama", None, None, sheet(input="1")),
        PriceRow("line 3", "llama", None, clock.us + DAY_US, sheet(input="2")),
    ]
    imported = await proposals.import_rows(storage, rows, "prices.csv")
    assert [one.changes[0].new for one in imported.proposed] == [Decimal(1), Decimal(2)]
    again = [replace(rows[1], sheet=sheet(input="4"))]
    [changed] = (await proposals.import_rows(storage, again, "prices.csv")).proposed
    assert (changed.changes[0].old, changed.changes[0].new) == (Decimal(1), Decimal(4)), "against what waits before it"
    assert len(await proposals.pending(storage)) == 2


async def test_catalogue_import_of_a_newer_version_proposes_the_difference(storage: SqliteStorage) -> None:
    catalogue = Shipped

    first = await proposals.import_catalogue(storage, catalogue("1"))
    assert len(first.proposed) == 1 and first.not_enabled == ["lab/llama-2"]
    await proposals.approve(storage, [])
    assert (await proposals.import_catalogue(storage, catalogue("1"))).unchanged == 1
    await prices.set_price(storage, "llama", sheet(input="9"))
    [changed] = (await proposals.import_catalogue(storage, catalogue("2"))).proposed
    assert changed.changes == [UnitPriceChange("standard", 0, "input", Decimal(1), Decimal(2))], (
        "not against the operator's"
    )


def test_price_differences_with_a_free_price_contain_it() -> None:
    free = PriceSheet.parse({"free": True})
    assert proposals.differences(None, free) == [UnitPriceChange("standard", 0, "free", None, Decimal(0))]
    assert proposals.differences(free, free) == []
    assert proposals.differences(sheet(input="1"), free) == [UnitPriceChange("standard", 0, "input", Decimal(1), None)]


@pytest.mark.parametrize("decide", [proposals.approve, proposals.reject])
async def test_price_proposal_that_was_replaced_after_it_was_seen_is_not_decided(
    storage: SqliteStorage, clock: StoppedClock, decide: object
) -> None:
    await proposals.import_rows(storage, [row(input="1.50")], "p.csv")
    seen = {one.mark for one in await proposals.pending(storage)}
    clock.us += 1
    await proposals.import_rows(storage, [row(input="99.00")], "p.csv")
    with pytest.raises(ConflictError):
        await decide(storage, ["lab/llama"], seen=seen)  # type: ignore[operator] # one of two operations
    [waiting] = await proposals.pending(storage)
    await decide(storage, ["lab/llama"], seen={waiting.mark})  # type: ignore[operator] # likewise
    assert await proposals.pending(storage) == []
