"""Routes, what they tell the directory, providers' further keys, regions, and what daemons report."""

from dataclasses import replace

import pytest
from support.engines import Books

from softix_proxy.domain.catalog.models import Model, ModelStatus
from softix_proxy.domain.catalog.providers import Provider, ProviderKey, ProviderStatus, ProviderType
from softix_proxy.domain.core.errors import ConflictError
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.domain.routing.directory import Directory
from softix_proxy.domain.routing.routes import ModelRoute, RouteLeg, RouteStatus, Timeouts
from softix_proxy.domain.routing.target_health import Breaker, TargetStats

LAB = Provider(0, "prv_lab", "lab", ProviderType.OPENAI, "http://lab", b"a", "drain", ProviderStatus.ACTIVE, 7)
LEGS = (RouteLeg(1, 3, 0, Timeouts(1, 2, 3), 4), RouteLeg(2, tier=1))
ROUTE = ModelRoute(0, "rte_a", "best", LEGS, 2, False, Timeouts(idle_ms=9), RouteStatus.ACTIVE, 7)


@pytest.fixture
async def storage(empty_books: Books) -> Storage:
    """With a provider and its models `one` and `two`."""
    made = empty_books.storage
    async with made.writing() as unit:
        lab = await unit.providers.add(LAB)
        asked = [Model(0, name, lab.id, name, None, None, ModelStatus.ACTIVE, 9) for name in ("one", "two")]
        await unit.models.add_all(asked)
    return made


async def test_route_is_read_back_as_added_and_as_updated(storage: Storage) -> None:
    async with storage.writing() as unit:
        added = await unit.routes.add(ROUTE)
    assert added == replace(ROUTE, id=added.id)
    reading = storage.reading()
    assert await reading.routes.find("best") == await reading.routes.find("rte_a") == added
    assert await reading.routes.find("other") is None
    changed = replace(added, name="worst", legs=LEGS[:1], retries=0, sticky=True, status=RouteStatus.DISABLED)
    async with storage.writing() as unit:
        await unit.routes.update(changed)
    assert list(await reading.routes.list()) == [changed]


async def test_route_with_a_name_that_is_taken_is_refused(storage: Storage) -> None:
    async with storage.writing() as unit:
        await unit.routes.add(ROUTE)
        other = await unit.routes.add(replace(ROUTE, public_id="rte_b", name="other"))
    with pytest.raises(ConflictError):
        async with storage.writing() as unit:
            await unit.routes.add(replace(ROUTE, public_id="rte_c"))
    with pytest.raises(ConflictError):
        async with storage.writing() as unit:
            await unit.routes.update(replace(other, name="best"))


async def test_directory_after_each_change_of_a_route_reflects_it(storage: Storage) -> None:
    kept = Directory()
    kept.apply(await storage.changes(0))
    assert kept.route("best") is None
    async with storage.writing() as unit:
        added = await unit.routes.add(ROUTE)
    kept.apply(await storage.changes(kept.revision))
    found = kept.route("best")
    assert found is not None and [leg.timeouts.idle_ms for leg in found.legs] == [3, 9]
    assert [route.name for route in kept.active_routes()] == ["best"]
    async with storage.writing() as unit:
        await unit.routes.update(replace(added, status=RouteStatus.REMOVED, name=added.public_id))
    kept.apply(await storage.changes(kept.revision))
    assert kept.route("best") is None and not list(kept.active_routes())
    made_up = kept.route("one")
    assert made_up is not None and (made_up.id, [leg.model_id for leg in made_up.legs]) == (0, [1])


async def test_directory_changes_after_an_added_provider_key_include_its_provider(storage: Storage) -> None:
    before = await storage.changes(0)
    lab = before.providers[0]
    keys = (ProviderKey("pky_a", "second", b"\x00s", 2), ProviderKey("pky_b", "third", b"t"))
    async with storage.writing() as unit:
        await unit.providers.update(replace(lab, region="eu", key_weight=5, more_keys=keys))
    after = await storage.changes(before.revision)
    [told] = after.providers
    assert (told.region, told.key_weight, told.more_keys) == ("eu", 5, keys)
    assert [key.label for key in told.keys] == ["main", "second", "third"]
    async with storage.writing() as unit:
        await unit.providers.update(replace(told, more_keys=keys[1:]))
    assert (await storage.changes(after.revision)).providers[0].more_keys == keys[1:]


async def test_report_of_a_daemon_replaces_its_earlier_report(storage: Storage) -> None:
    first = [TargetStats(1, Breaker(3, 99, 1, True), 1, 5, 2, 700, 9, 8, "provider_fault"), TargetStats(2)]
    async with storage.writing() as unit:
        await unit.routes.report(0, first)
        await unit.routes.report(1, [TargetStats(2, requests=7)])
    reported = await storage.reading().routes.reported()
    assert [(each.model_id, each.slot) for each in reported] == [(1, 0), (2, 0), (2, 1)]
    assert [each.stats for each in reported[:2]] == first
    revision = (await storage.changes(0)).revision
    async with storage.writing() as unit:
        await unit.routes.report(0, [])
    assert [each.slot for each in await storage.reading().routes.reported()] == [1]
    assert (await storage.changes(0)).revision == revision
