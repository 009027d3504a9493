from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from support.books import StoppedClock

from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.catalog.models import ModelStatus
from softix_proxy.domain.catalog.providers import Provider, ProviderStatus, ProviderType
from softix_proxy.domain.core.errors import BadInputError, NotFoundError
from softix_proxy.domain.pricing.prices import PriceVersion
from softix_proxy.domain.pricing.rates import PriceSheet, parse_markup
from softix_proxy.operations.access import users
from softix_proxy.operations.catalog import models, providers
from softix_proxy.operations.pricing import prices
from softix_proxy.operations.pricing.prices import ListedPrice, PriceState
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage
from softix_proxy.storage.sqlite.write_path.statements import NOTE_UNPRICED

LAB = Provider(0, "prv_lab", "lab", ProviderType.DEMO, "", None, "drain", ProviderStatus.ACTIVE, 7)
IN_FORCE, UPCOMING, SUPERSEDED = PriceState


def sheet(usd: str) -> PriceSheet:
    return PriceSheet.parse({"bands": [{"prices": {"input": usd}}]})


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
async def storage(tmp_path: Path, clock: StoppedClock) -> AsyncIterator[SqliteStorage]:
    database = Database(tmp_path / "softix.db", clock)
    database.create()
    await database.open()
    yield SqliteStorage(database)
    await database.close()


@pytest.fixture(autouse=True)
async def furnish(storage: SqliteStorage) -> None:
    async with storage.writing() as unit:
        await unit.providers.add(LAB)
    for name in ("ada", "bob"):
        await users.create(storage, name=name, email=f"{name}@example.org", role=UserRole.USER, postpaid=False)
    await models.add(storage, name="llama", provider="lab")


async def catalogue_price(storage: SqliteStorage, usd: str) -> None:
    async with storage.writing() as unit:
        model = await models.find(unit, "llama")
        now_us = unit.clock.now_us()
        await unit.prices.add_all([PriceVersion(0, model.id, None, "catalogue", sheet(usd), now_us, now_us)])


def told(listed: Sequence[ListedPrice]) -> list[tuple[str, str | None, PriceSheet, PriceState]]:
    return [(one.version.source, one.user.name if one.user else None, one.version.sheet, one.state) for one in listed]


async def paid(storage: SqliteStorage, user: str | None = None) -> PriceSheet:
    return (await prices.show(storage, "llama", user=user)).listed.version.sheet


# Prices


async def test_price_of_a_customer_comes_before_operator_and_catalogue(storage: SqliteStorage) -> None:
    await prices.set_price(storage, "llama", sheet("1"), user="ada")
    await prices.set_price(storage, "lab/llama", sheet("2"))
    await catalogue_price(storage, "3")
    assert await paid(storage, "ada") == await paid(storage, "ada@example.org") == sheet("1")
    assert await paid(storage, "bob") == await paid(storage) == sheet("2")
    assert told(await prices.list_all(storage)) == [
        ("customer", "ada", sheet("1"), IN_FORCE),
        ("operator", None, sheet("2"), IN_FORCE),
    ]
    assert told(await prices.history(storage, "llama"))[2] == ("catalogue", None, sheet("3"), SUPERSEDED)


async def test_price_version_when_a_new_one_starts_stays_in_the_history(
    storage: SqliteStorage, clock: StoppedClock
) -> None:
    first = await prices.set_price(storage, "llama", sheet("1"))
    clock.us += 10
    second = await prices.set_price(storage, "llama", PriceSheet(()))
    assert [one.version.id for one in await prices.history(storage, "llama")] == [first.version.id, second.version.id]
    assert [one.state for one in await prices.history(storage, "llama")] == [SUPERSEDED, IN_FORCE]
    assert first.version.starts_at_us == second.version.starts_at_us - 10
    assert [one.version for one in await prices.list_all(storage, model="llama")] == [second.version]


async def test_price_with_a_future_start_comes_into_force_then(storage: SqliteStorage, clock: StoppedClock) -> None:
    await prices.set_price(storage, "llama", sheet("1"))
    listed = await prices.set_price(storage, "llama", sheet("2"), starts_at_us=clock.us + 100)
    assert listed.state is UPCOMING
    assert [one.state for one in await prices.list_all(storage)] == [IN_FORCE, UPCOMING]
    clock.us += 99
    assert await paid(storage) == sheet("1")
    clock.us += 1
    assert await paid(storage) == sheet("2")
    assert [one.state for one in await prices.history(storage, "llama")] == [SUPERSEDED, IN_FORCE]


async def test_price_and_markup_with_a_past_start_are_refused(storage: SqliteStorage, clock: StoppedClock) -> None:
    with pytest.raises(BadInputError, match="past"):
        await prices.set_price(storage, "llama", sheet("1"), starts_at_us=clock.us - 1)
    with pytest.raises(BadInputError, match="past"):
        await prices.set_markup(storage, parse_markup("5%"), starts_at_us=clock.us - 1)
    assert await prices.history(storage, "llama") == []
    await prices.set_price(storage, "llama", sheet("1"), starts_at_us=clock.us)
    assert await paid(storage) == sheet("1")


async def test_price_when_missing_is_refused_with_the_command_that_sets_it(storage: SqliteStorage) -> None:
    with pytest.raises(NotFoundError) as refusal:
        await prices.show(storage, "llama")
    assert "softix prices set llama" in refusal.value.remedy
    await prices.set_price(storage, "llama", sheet("1"), user="ada")
    with pytest.raises(NotFoundError):
        await prices.show(storage, "llama", user="bob")
    for call in (
        prices.set_price(storage, "none", sheet("1")),
        prices.set_price(storage, "llama", sheet("1"), user="x"),
    ):
        with pytest.raises(NotFoundError):
            await call


async def test_prices_of_a_removed_provider_stay_in_the_history(storage: SqliteStorage) -> None:
    await prices.set_price(storage, "llama", sheet("1"))
    await providers.remove(storage, "lab")
    assert await prices.list_all(storage) == []
    assert len(await prices.history(storage, "prv_lab/llama")) == 1


# What is missing


async def test_missing_prices_list_the_most_requested_models_first(
    storage: SqliteStorage, clock: StoppedClock, tmp_path: Path
) -> None:
    whole = PriceSheet.parse({"bands": [{"prices": {"input": "1", "output": "2"}}]})
    sheets = {"priced": whole, "never": None, "off": None, "half": sheet("1"), "half unasked": sheet("1")}
    for name, its in sheets.items():
        await models.add(storage, name=name.replace(" ", "-"), provider="lab", sheet=its)
    await models.update(storage, "off", status=ModelStatus.DISABLED)
    await prices.set_price(storage, "never", sheet("1"), starts_at_us=clock.us + 1)
    await prices.set_price(storage, "never", sheet("1"), user="ada")
    raw = Database(tmp_path / "softix.db", clock).connect()
    for name in ("llama", "llama", "priced", "half"):
        raw.execute(NOTE_UNPRICED, ((await models.show(storage, name)).model.id, 77))
    raw.close()
    found = [
        (item.entry.model.name, item.asks.asks, item.asks.last_asked_at_us) for item in await prices.missing(storage)
    ]
    assert found == [("llama", 2, 77), ("half", 1, 77), ("never", 0, 0)]


# Mark-ups


async def test_markups_with_versions_and_subjects_apply_in_order(storage: SqliteStorage, clock: StoppedClock) -> None:
    await prices.set_price(storage, "llama", sheet("1"))
    await prices.set_markup(storage, parse_markup("1%"))
    clock.us += 1
    await prices.set_markup(storage, parse_markup("2%"))
    await prices.set_markup(storage, parse_markup("3%"), user="ada")
    await prices.set_markup(storage, parse_markup("4%"), model="llama")
    await prices.set_markup(storage, parse_markup("5%"), starts_at_us=clock.us + 5)
    assert (await prices.show(storage, "llama", user="ada")).markup == parse_markup("3%")
    assert (await prices.show(storage, "llama", user="bob")).markup == parse_markup("4%")
    assert [
        (one.version.scope, one.subject, one.version.factor, one.state) for one in await prices.list_markups(storage)
    ] == [
        ("default", None, parse_markup("2%"), IN_FORCE),
        ("user", "ada", parse_markup("3%"), IN_FORCE),
        ("model", "lab/llama", parse_markup("4%"), IN_FORCE),
        ("default", None, parse_markup("5%"), UPCOMING),
    ]


async def test_markup_without_a_factor_or_fee_keeps_the_earlier_or_default_one(
    storage: SqliteStorage, clock: StoppedClock
) -> None:
    await prices.set_price(storage, "llama", sheet("1"))
    await prices.set_markup(storage, parse_markup("1%"), fee_pico=7)
    clock.us += 1
    await prices.set_markup(storage, parse_markup("2%"))
    await prices.set_markup(storage, fee_pico=9, user="ada")
    await prices.set_markup(storage, parse_markup("4%"), user="bob")
    clock.us += 1
    await prices.set_markup(storage, parse_markup("3%"), user="ada", starts_at_us=clock.us + 1)
    assert [(one.version.factor, one.version.fee_pico) for one in await prices.list_markups(storage)] == [
        (parse_markup("2%"), 7),
        (parse_markup("2%"), 9),
        (parse_markup("4%"), 7),
        (parse_markup("3%"), 9),
    ]
    applied = await prices.show(storage, "llama", user="ada")
    assert (applied.markup, applied.fee_pico) == (parse_markup("2%"), 9)
    with pytest.raises(BadInputError, match="not negative"):
        await prices.set_markup(storage, fee_pico=-1)


async def test_markup_for_two_subjects_is_refused(storage: SqliteStorage) -> None:
    with pytest.raises(BadInputError):
        await prices.set_markup(storage, parse_markup("1%"), user="ada", model="llama")
    assert await prices.list_markups(storage) == []


async def test_markup_for_a_customer_with_an_own_price_is_one(storage: SqliteStorage) -> None:
    await prices.set_price(storage, "llama", sheet("1"), user="ada")
    await prices.set_markup(storage, parse_markup("50%"))
    assert (await prices.show(storage, "llama", user="ada")).markup == 1
